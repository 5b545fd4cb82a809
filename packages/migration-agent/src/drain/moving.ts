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

interface Moving {
  socket: Socket;
  handle: StreamHandle;
  record: ConnectionRecord;
}

/** Two keep both sides busy. More would only make the successor, which serves by now, adopt longer without accepting. */
const FRAMES_AT_ONCE = 2;
const PER_FRAME = 250;

/**
 * Offers connections to the successor; returns how many it took.
 *
 * The caller has made sure that each is between two messages. All stop reading at once, so that what arrives from here on stays in the
 * kernel and goes along; what is refused is read here again.
 */
export async function moveConnections(
  connections: { socket: Socket; record: ConnectionRecord }[],
  migrate: NonNullable<DrainTools['migrate']>,
): Promise<number> {
  const moving = connections.flatMap(({ socket, record }): Moving[] => {
    const handle = handleOf(socket);
    if (!handle) return [];
    handle.readStop();
    handle.reading = false;
    return [{ socket, handle, record }];
  });
  const frames: Moving[][] = [];
  for (let start = 0; start < moving.length; start += PER_FRAME) frames.push(moving.slice(start, start + PER_FRAME));
  let moved = 0;
  for (let start = 0; start < frames.length; start += FRAMES_AT_ONCE) {
    const taken = await Promise.all(
      frames.slice(start, start + FRAMES_AT_ONCE).map((frame) => moveFrame(frame, migrate)),
    );
    moved += taken.reduce((sum, count) => sum + count, 0);
  }
  return moved;
}

async function moveFrame(frame: Moving[], migrate: NonNullable<DrainTools['migrate']>): Promise<number> {
  // Copies: an original may be closed (and its number reused) by a time-out before the kernel has taken the message.
  const copied = frame.map((moving) => ({
    moving,
    copy: moving.socket.destroyed ? -1 : addon().dup(moving.handle.fd),
  }));
  const offered = copied.filter(({ copy }) => copy >= 0);
  const copies = offered.map(({ copy }) => copy);
  const refused =
    offered.length === 0
      ? []
      : await migrate(
          offered.map(({ moving }) => moving.record),
          copies,
        );
  closeAll(copies);
  const taken = new Set(offered.filter((_, index) => !refused.includes(index)).map(({ moving }) => moving));
  for (const moving of frame) {
    // destroy() closes this process's copy without shutdown(): the connection itself lives on in the successor.
    if (taken.has(moving)) moving.socket.destroy();
    else readAgain(moving);
  }
  return taken.size;
}

function readAgain({ socket, handle }: Moving): void {
  if (socket.destroyed) return;
  handle.reading = true;
  handle.readStart();
}
