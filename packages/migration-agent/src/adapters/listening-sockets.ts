import type { ListenerPlan } from '../native/listener.js';

/**
 * For a program that finds each of its addresses in the sockets that it is given.
 *
 * @throws TypeError when there is none, or one of a kind that cannot be found that way: a Unix listener is bound under another name
 * and renamed, and the kernel goes on reporting the name of the bind.
 */
export function checkListeners(program: string, listeners: readonly ListenerPlan[]): void {
  if (listeners.length === 0) throw new TypeError(`${program} needs --listen NAME=ADDRESS for each address it serves`);
  const unix = listeners.filter(({ kind }) => kind === 'unix').map(({ name }) => name);
  if (unix.length > 0)
    throw new TypeError(`${program} cannot take Unix listeners over; remove --listen ${unix.join(', ')}`);
}
