import { Server } from 'node:http';
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
    // Node's own: that of the instance may reach further, see below.
    Server.prototype.closeIdleConnections.call(server);
  } finally {
    for (const socket of all) Reflect.deleteProperty(socket, 'destroy');
  }
  return [...idle];
}

/** Lets `closeIdleConnections` and `closeAllConnections` of a server, and `close` by the first, end connections that it was not given yet. */
export function closesAlso(server: Server, closeOthers: () => void): void {
  for (const name of ['closeIdleConnections', 'closeAllConnections'] as const) {
    const own = server[name];
    server[name] = function closesOthers(this: Server) {
      own.call(this);
      closeOthers();
    };
  }
}
