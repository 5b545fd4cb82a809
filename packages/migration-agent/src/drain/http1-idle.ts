import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of a server that are exactly between two messages, as Node's own parser sees it.
 *
 * `closeIdleConnections` destroys just those; with `destroy` caught it tells them instead. That leans on public API only, and is
 * exact where counting bytes is not (pipelined requests, half-read heads). A connection that never brought a byte is between
 * messages too, but Node counts it as busy.
 */
export function idleConnections(server: Server, sockets: Iterable<Socket>): Socket[] {
  const all = [...sockets].filter((socket) => !socket.destroyed);
  const idle = new Set<Socket>(all.filter((socket) => socket.bytesRead === 0));
  for (const socket of all) {
    socket.destroy = function caught(this: Socket) {
      idle.add(this);
      return this;
    };
  }
  try {
    server.closeIdleConnections();
  } finally {
    for (const socket of all) Reflect.deleteProperty(socket, 'destroy');
  }
  return [...idle];
}

/** Node's parser of a connection. Not public, so its use is guarded: without it Node does as with a connection that was just accepted. */
interface ConnectionParser {
  remove(): void;
}

/**
 * Takes a connection that came from a predecessor off the list of those whose next head is due: Node answers 408 on one that brought
 * nothing within `headersTimeout` of its start, here of its move, and a client's request may be under way by then. Its first byte
 * puts it back.
 */
export function awaitNoHead(socket: Socket): void {
  (socket as { parser?: Partial<ConnectionParser> | null }).parser?.remove?.();
}
