import type { Fault } from './config.js';

const AFTER_MS = 300;
const SLOW_MS = 3_000;

/** Makes the configured fault happen if this is its point. */
export async function faultAt(point: 'before' | 'ready' | 'after', fault: Fault): Promise<void> {
  if (fault === 'slow' && point === 'ready') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  if (fault !== `crash-${point}` && fault !== `hang-${point}`) return;
  if (point === 'after') await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  if (fault.startsWith('hang')) process.kill(process.pid, 'SIGSTOP');
  else process.kill(process.pid, 'SIGKILL');
}
