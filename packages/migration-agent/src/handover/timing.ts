import type { HandoverStatus } from '../status/snapshot.js';

/** From the marks of a conversation (monotonic ms): what each phase took, and the whole without the program's own start. */
export function handoverStatus(how: HandoverStatus['how'], reached: Record<string, number>): HandoverStatus {
  const between = (from: string, to: string): number => {
    const [start, end] = [reached[from], reached[to]];
    return start === undefined || end === undefined ? 0 : Math.round((end - start) * 1000) / 1000;
  };
  const phases = {
    offer: between('connect', 'imported'),
    init: between('imported', 'ready'),
    agree: between('ready', 'attach'),
    commit: between('attach', 'own'),
  };
  const handoverMs = Math.round((phases.offer + phases.agree + phases.commit) * 1000) / 1000;
  return { how, handoverMs, phases, committedAt: new Date().toISOString() };
}
