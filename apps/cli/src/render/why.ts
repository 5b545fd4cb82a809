import type { Check } from '../view/check-chain.js';
import type { PodGroup } from '../view/left-alone.js';
import type { WhyView } from '../view/why-view.js';
import type { Paint } from './paint.js';

/** `kubectl sidestep why` for people. */
export function renderWhy({ subject, state, reason, message, checks, blocked = [] }: WhyView, paint: Paint): string {
  const lines = [
    `${paint.bold(subject)}: ${state}${reason === '' ? '' : ` ${reason}`}`,
    `  ${message}`,
    '',
    ...checks.flatMap((check) => checkLines(check, paint)),
  ];
  if (blocked.length > 0) lines.push('', '  pods that are not done:');
  for (const group of blocked) lines.push(`  ${group.count} ${group.reason}: ${group.message}${examplesText(group)}`);
  return `${lines.join('\n')}\n`;
}

/** ` (shop/shop-1, shop/shop-2, ...)`, or nothing where no name is known. */
export function examplesText({ count, examples }: PodGroup): string {
  if (examples.length === 0) return '';
  return ` (${examples.join(', ')}${count > examples.length ? ', ...' : ''})`;
}

function checkLines({ rule, result, reason, message }: Check, paint: Paint): string[] {
  switch (result) {
    case 'passed':
      return [`  ${paint.green('✔')} ${rule}`];
    case 'notReached':
      return [paint.dim(`  · ${rule}`)];
    case 'holds':
      return [`  ${paint.red('✖')} ${rule}`, `      ${reason === undefined ? '' : `${reason}: `}${message ?? ''}`];
  }
}
