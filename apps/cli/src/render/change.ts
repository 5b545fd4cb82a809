import { printJson } from '@sidestep/kube';
import type { ChangeVerdict, ChangeView } from '../view/change-view.js';
import type { ChangeEffect, FieldChange } from '../view/container-changes.js';
import type { RolloutPreview } from '../view/rollout-preview.js';
import { alignColumns, type Paint } from './paint.js';

const VERDICTS: Record<ChangeVerdict, string> = {
  Refused: 'the API server would refuse this',
  NoChange: 'nothing changes',
  New: 'a new SidecarSet; pods made from now on get it',
  InPlace: 'running pods are upgraded in place',
  NewPodsOnly: 'no container of a running pod changes',
  Recreate: 'more than images changes, so running pods keep what they have; pods made from now on get it',
};

const EFFECTS: Record<ChangeEffect, string> = {
  hotUpgrade: 'hot upgrade, the pod serves on',
  coldUpgrade: 'the container restarts in the pod',
  emptyImage: 'only the idle half of the pair changes',
  blocks: 'cannot change in a running pod',
  newPods: 'new pods only',
  selection: 'which pods get the SidecarSet when they are made',
  rollout: 'how running pods are upgraded',
  history: 'how many revisions are kept',
};

/** `kubectl sidestep diff` for people. */
export function renderChange(view: ChangeView, paint: Paint, limit: number): string {
  const { verdict, errors, warnings } = view;
  const title = `${paint.bold(`SidecarSet ${view.sidecarSet}`)}: ${colourOf(verdict, paint)(VERDICTS[verdict])}`;
  const sections = [
    errors.map((error) => `  ${paint.red('✖')} ${error}`),
    warnings.map((warning) => `  ${paint.yellow('!')} ${warning}`),
    alignColumns(view.changes.map((change) => changeRow(change, paint))),
    alignColumns(hashRows(view)),
    view.rollout === undefined ? [] : rolloutLines(view.rollout, paint, limit),
  ];
  const body = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${[title, ...body].join('\n\n')}\n`;
}

function colourOf(verdict: ChangeVerdict, paint: Paint): (text: string) => string {
  if (verdict === 'Refused') return paint.red;
  return verdict === 'Recreate' ? paint.yellow : paint.green;
}

function changeRow({ field, before, after, effect }: FieldChange, paint: Paint): string[] {
  const mark = effect === 'blocks' ? paint.yellow('✖') : paint.green('✔');
  return [`  ${mark} ${field}`, `${valueText(before)} -> ${valueText(after)}`, paint.dim(EFFECTS[effect])];
}

const LONGEST_VALUE = 60;

function valueText(value: unknown): string {
  if (value === undefined) return '(none)';
  const text = typeof value === 'string' ? value : printJson(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}

function hashRows({ before, after, revision }: ChangeView): string[][] {
  const rows = [
    ['  hash', arrow(before?.hash, after.hash)],
    ['  hash without images', arrow(before?.hashWithoutImage, after.hashWithoutImage)],
  ];
  if (revision === undefined) return rows;
  return [...rows, ['  revision', `${arrow(revision.before, revision.after)}${revision.isNew ? ' (new)' : ''}`]];
}

function arrow(before: string | undefined, after: string): string {
  if (before === undefined) return after;
  return before === after ? `${after} (as before)` : `${before} -> ${after}`;
}

const countedPods = (count: number): string => `${count} ${count === 1 ? 'pod' : 'pods'}`;

function carriers(matched: number, upgradable: number): string {
  if (matched === 0) return 'no pod carries it';
  if (matched > 1) return `${matched} pods carry it, ${upgradable} of them can be upgraded to it`;
  return `1 pod carries it, and ${upgradable === 1 ? 'can' : 'cannot'} be upgraded to it`;
}

function rolloutLines(rollout: RolloutPreview, paint: Paint, limit: number): string[] {
  const { first, later, matched } = rollout;
  const count = first.length + later.length;
  const why = count > 0 ? `; ${rollout.reason}: ${rollout.message}` : '';
  const lines = [`  ${carriers(matched, count)}${why}`];
  if (rollout.notUpgradable > 0) lines.push(`  ${countedPods(rollout.notUpgradable)} must be made anew to get it`);
  const shown = [...first, ...later].slice(0, limit);
  const width = String(count).length;
  for (const [index, pod] of shown.entries()) {
    const when = index < first.length ? paint.green('at once') : paint.dim('later');
    lines.push(`  ${String(index + 1).padStart(width)}  ${pod}  ${when}`);
  }
  if (shown.length < count) lines.push(paint.dim(`  and ${count - shown.length} more (--limit)`));
  return lines;
}
