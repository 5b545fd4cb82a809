import type { Socket } from 'node:net';
import type { DrainTools } from '../handover/workload.js';
import { addon, closeAll } from '../native/addon.js';
import type { ConnectionRecord } from '../protocol/messages.js';

/** Node's own handle of a plain socket. Not public, so every use is guarded: without it connections are drained instead of moved. */
interface StreamHandle {
  fd: number;
  reading: boolean;
  readStop(): void;
  readStart(): void;
}

function handleOf(socket: Socket): StreamHandle | undefined {
  const handle = (socket as { _handle?: Partial<StreamHandle> | null })._handle;
  const whole = typeof handle?.fd === 'number' && handle.fd >= 0 && typeof handle.readStop === 'function';
  return whole && typeof handle.readStart === 'function' ? (handle as StreamHandle) : undefined;
}

/** Whether this connection could be moved at all: plain TCP, nothing of it waiting in this process. */
export function isMovable(socket: Socket): boolean {
  return (
    !socket.destroyed && handleOf(socket) !== undefined && socket.readableLength === 0 && socket.writableLength === 0
  );
}

/**
 * Offers connections to the successor, at most one frame's worth; returns how many it took.
 *
 * The caller has made sure that each is between two messages. Reading stops at once, so that what arrives from here on stays in the
 * kernel and goes along; what is refused is read here again.
 */
export async function moveConnections(
  connections: { socket: Socket; record: ConnectionRecord }[],
  migrate: NonNullable<DrainTools['migrate']>,
): Promise<number> {
  const moving: { socket: Socket; handle: StreamHandle; record: ConnectionRecord; copy: number }[] = [];
  for (const { socket, record } of connections) {
    const handle = handleOf(socket);
    // A copy: the original may be closed (and its number reused) by a timeout before the kernel has taken the message.
    const copy = handle ? addon().dup(handle.fd) : -1;
    if (!handle || copy < 0) continue;
    handle.readStop();
    handle.reading = false;
    moving.push({ socket, handle, record, copy });
  }
  if (moving.length === 0) return 0;
  const copies = moving.map(({ copy }) => copy);
  const refused = new Set(
    await migrate(
      moving.map(({ record }) => record),
      copies,
    ),
  );
  closeAll(copies);
  moving.forEach(({ socket, handle }, index) => {
    // destroy() closes this process's copy without shutdown(): the connection itself lives on in the successor.
    if (!refused.has(index)) socket.destroy();
    else if (!socket.destroyed) {
      handle.reading = true;
      handle.readStart();
    }
  });
  return moving.length - refused.size;
}
