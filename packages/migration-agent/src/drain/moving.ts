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

/** A connection that nobody reads here any more; in the end it is taken, or kept after all. */
export interface Movable {
  readonly record: ConnectionRecord;
  /** Negative once it has ended. */
  readonly fd: number;
  taken(): void;
  kept(): void;
}

/** Offered and not yet settled: a second drain that begins meanwhile must not offer them again. */
const onTheirWay = new WeakSet<Socket>();

/** Whether this connection could be moved at all: plain TCP, nothing of it waiting in this process. */
export function isMovable(socket: Socket): boolean {
  const quiet = !socket.destroyed && socket.readableLength === 0 && socket.writableLength === 0;
  return quiet && !onTheirWay.has(socket) && handleOf(socket) !== undefined;
}

class MovableSocket implements Movable {
  readonly record: ConnectionRecord;
  readonly #socket: Socket;
  readonly #handle: StreamHandle;

  constructor(socket: Socket, handle: StreamHandle, record: ConnectionRecord) {
    this.record = record;
    this.#socket = socket;
    this.#handle = handle;
    onTheirWay.add(socket);
    handle.readStop();
    handle.reading = false;
  }

  get fd(): number {
    return this.#socket.destroyed ? -1 : this.#handle.fd;
  }

  taken(): void {
    onTheirWay.delete(this.#socket);
    // Closes this process's copy without shutdown(): the connection itself lives on in the successor.
    this.#socket.destroy();
  }

  kept(): void {
    onTheirWay.delete(this.#socket);
    if (this.#socket.destroyed) return;
    this.#handle.reading = true;
    this.#handle.readStart();
  }
}

/**
 * Stops reading these, all at once: what arrives from here on stays in the kernel and goes along.
 *
 * The caller has made sure that each is between two messages.
 */
export function movableSockets(sockets: readonly Socket[], record: ConnectionRecord): Movable[] {
  return sockets.flatMap((socket) => {
    const handle = handleOf(socket);
    return handle ? [new MovableSocket(socket, handle, record)] : [];
  });
}

/** Two keep both sides busy. */
const FRAMES_AT_ONCE = 2;
const PER_FRAME = 250;

/** Offers connections to the successor; returns how many it took. */
export async function moveConnections(
  moving: readonly Movable[],
  migrate: NonNullable<DrainTools['migrate']>,
): Promise<number> {
  const frames: Movable[][] = [];
  for (let start = 0; start < moving.length; start += PER_FRAME) frames.push(moving.slice(start, start + PER_FRAME));
  const taken: Movable[][] = [];
  for (let start = 0; start < frames.length; start += FRAMES_AT_ONCE) {
    const together = frames.slice(start, start + FRAMES_AT_ONCE);
    taken.push(...(await Promise.all(together.map((frame) => moveFrame(frame, migrate)))));
  }
  // Only once all are there: closing takes longer than moving, and clients of the others may be asking already.
  for (const frame of taken) {
    for (const connection of frame) connection.taken();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return taken.reduce((sum, frame) => sum + frame.length, 0);
}

/** Resolves with those that were taken. */
async function moveFrame(frame: Movable[], migrate: NonNullable<DrainTools['migrate']>): Promise<Movable[]> {
  // Copies: an original may be closed (and its number reused) by a time-out before the kernel has taken the message.
  const copied = frame.map((connection) => {
    const { fd } = connection;
    return { connection, copy: fd < 0 ? -1 : addon().dup(fd) };
  });
  const offered = copied.filter(({ copy }) => copy >= 0);
  const records = offered.map(({ connection }) => connection.record);
  const copies = offered.map(({ copy }) => copy);
  const refused = new Set(copies.length === 0 ? [] : await migrate(records, copies));
  closeAll(copies);
  const taken = offered.filter((_, index) => !refused.has(index)).map(({ connection }) => connection);
  const gone = new Set(taken);
  for (const connection of frame) if (!gone.has(connection)) connection.kept();
  return taken;
}
