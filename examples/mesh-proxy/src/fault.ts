import { writeSync } from 'node:fs';
import type { Fault } from './config.js';

const AFTER_MS = 300;
const SLOW_MS: Partial<Record<Fault, number>> = { slow: 3_000, slower: 60_000 };

/** Makes the configured fault happen if this is its point, and says so first. */
export async function faultAt(point: 'before' | 'ready' | 'after', fault: Fault): Promise<void> {
  const slowMs = point === 'ready' ? SLOW_MS[fault] : undefined;
  if (slowMs === undefined && fault !== `crash-${point}` && fault !== `hang-${point}`) return;
  if (point === 'after') await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  // Written at once: a stopped or killed process writes nothing more.
  writeSync(process.stdout.fd, `${JSON.stringify({ time: new Date(), event: 'fault', fault, point })}\n`);
  if (slowMs !== undefined) await new Promise((resolve) => setTimeout(resolve, slowMs));
  else process.kill(process.pid, fault.startsWith('hang') ? 'SIGSTOP' : 'SIGKILL');
}
