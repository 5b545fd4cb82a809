import type { Check } from '../view/check-chain.js';
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
  for (const group of blocked) {
    const more = group.count > group.examples.length ? ', ...' : '';
    const examples = group.examples.length === 0 ? '' : ` (${group.examples.join(', ')}${more})`;
    lines.push(`  ${group.count} ${group.reason}: ${group.message}${examples}`);
  }
  return `${lines.join('\n')}\n`;
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
