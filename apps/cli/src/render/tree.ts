import type { PodGroup } from '../view/left-alone.js';
import type { PodView, RevisionView, SidecarSetView } from '../view/sidecarset-view.js';
import type { RolloutState } from '../view/verdict.js';
import { alignColumns, type Paint } from './paint.js';
import { examplesText } from './why.js';

/** A rollout as a tree: SidecarSet, revisions, pods; at most `limit` pods of each revision. */
export function renderTree(view: SidecarSetView, paint: Paint, limit: number): string {
  const shown = view.revisions.filter(({ pods, marks }) => pods.length > 0 || marks.length > 0);
  const rows = shown.flatMap((revision, i) => revisionRows(revision, paint, limit, i === shown.length - 1));
  const older = view.revisions.length - shown.length;
  const lines = [...headLines(view, paint), '', ...alignColumns(rows)];
  if (older > 0) lines.push(paint.dim(`and ${older} older ${older === 1 ? 'revision' : 'revisions'} that no pod runs`));
  return `${lines.join('\n')}\n`;
}

function headLines(view: SidecarSetView, paint: Paint): string[] {
  const { verdict, matched, updated, ready, upgrading, failed, step } = view;
  const reason = verdict.reason === '' ? '' : ` ${verdict.reason}:`;
  const counts = [`${updated}/${matched} updated`, `${ready} ready`, `${upgrading} upgrading`];
  if (failed > 0) counts.push(paint.red(`${failed} failed`));
  const strategy = step === undefined ? view.strategy : `${view.strategy}, step ${step.current} of ${step.of}`;
  return [
    `${stateMark(verdict.state, paint)} ${paint.bold(`SidecarSet ${view.name}`)}  ${view.images.join(', ')}`,
    `  ${verdict.state}${reason} ${verdict.message}`,
    `  ${counts.join(', ')}; ${strategy}`,
    ...view.leftAlone.map(leftAloneLine),
  ];
}

const leftAloneLine = (group: PodGroup): string =>
  `  ${group.count} ${group.count === 1 ? 'pod is' : 'pods are'} left alone, ${group.reason}: ${group.message}${examplesText(group)}`;

/** The sign of a state, the same wherever it is shown. */
export function stateMark(state: RolloutState, paint: Paint): string {
  switch (state) {
    case 'Complete':
      return paint.green('✔');
    case 'Failed':
      return paint.red('✖');
    case 'Paused':
      return paint.yellow('‖');
    case 'Progressing':
      return paint.cyan('↻');
    case 'Waiting':
      return paint.dim('○');
  }
}

function revisionRows({ name, number, images, marks, pods }: RevisionView, paint: Paint, limit: number, last: boolean) {
  const title = name === '' ? 'revision not known' : `revision ${number ?? '?'} ${name}`;
  const told = marks.length === 0 ? '' : ` (${marks.join(', ')})`;
  const count = `${pods.length} ${pods.length === 1 ? 'pod' : 'pods'}`;
  const head = [`${last ? '└' : '├'}─ ${paint.bold(title)}${told}  ${[...images, count].join(', ')}`];
  const trunk = last ? '   ' : '│  ';
  const shown = pods.slice(0, limit);
  const rows = shown.map((pod, i) => podRow(pod, paint, `${trunk}${i === pods.length - 1 ? '└' : '├'}─`));
  if (pods.length > shown.length) rows.push([`${trunk}└─ and ${pods.length - shown.length} more (--limit)`]);
  return [head, ...rows];
}

function podRow(pod: PodView, paint: Paint, branch: string): string[] {
  const { namespace, name, state, phase, images, reason, message, ready, ageSeconds } = pod;
  const isQuiet = reason === 'UpToDate';
  return [
    `${branch} ${podMark(pod, paint)} ${namespace}/${name}`,
    phase === 'none' || state === 'Idle' ? state : `${state}, ${phase} due`,
    ready ? 'ready' : paint.yellow('not ready'),
    images.join(', '),
    ageSeconds === undefined ? '' : ageText(ageSeconds),
    isQuiet ? '' : `${reason}: ${message}`,
  ];
}

function podMark({ state, ready, reason }: PodView, paint: Paint): string {
  switch (state) {
    case 'Failed':
      return paint.red('✖');
    case 'Unmanaged':
      return paint.yellow('?');
    case 'Upgrading':
    case 'Migrated':
    case 'Resetting':
      return paint.cyan('↻');
    case 'Idle':
      return reason === 'UpToDate' && ready ? paint.green('✔') : paint.dim('○');
  }
}

/** `42s`, `12m`, `3h`, `5d`, as kubectl counts. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
