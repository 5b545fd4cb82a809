import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../errors.js';
import { answersDatagrams } from '../../native/datagram-socket.js';
import { EnvoyBase } from './base.js';

/** Of Envoys at most three live at a time: their names repeat after that. */
const MOST_ALIVE = 3;
/** The only layout of the shared memory that is known: its size, and where in it stands that an Envoy is starting. */
const MEMORY_BYTES = 104;
const FLAGS_AT = 96;

/** This process among the agents that write to the chain. */
const SELF = randomBytes(8).toString('hex');

/** One Envoy of a chain. */
export interface Generation {
  base: EnvoyBase;
  epoch: number;
  /** What its `--hot-restart-version` says. */
  hotRestart: string;
  /** It was started by this process. */
  own: boolean;
}

interface Entry {
  base: number;
  epoch: number;
  hotRestart: string;
  by: string;
}

/**
 * Envoys that restart by themselves, each the parent of the next: which epoch lives, and under which names. Kept in a file of the
 * private directory, and compared with what answers: a file outlives the Envoys that it is about.
 */
export class RestartChain {
  readonly #prefix: string;
  readonly #file: string;

  constructor(directory: string) {
    this.#prefix = join(directory, 'chain.envoy');
    this.#file = `${this.#prefix}.json`;
  }

  /** The youngest Envoy that lives. */
  youngest(): Generation | undefined {
    for (const { base, by, ...entry } of this.#read()) {
      const generation = { ...entry, base: EnvoyBase.named(this.#prefix, base), own: by === SELF };
      if (isAlive(generation)) return generation;
    }
    return undefined;
  }

  /** The names of the one that comes next. */
  next(parent: Generation | undefined, hotRestart: string): Generation {
    if (parent) return { ...parent, epoch: parent.epoch + 1, own: true };
    return { base: EnvoyBase.fresh(this.#prefix), epoch: 0, hotRestart, own: true };
  }

  /** It serves: whoever comes next is its child. */
  record({ base, epoch, hotRestart }: Generation): void {
    const older = this.#read().filter((entry) => entry.base === base.id && entry.epoch < epoch);
    const entries = [{ base: base.id, epoch, hotRestart, by: SELF }, ...older].slice(0, MOST_ALIVE);
    writeFileSync(`${this.#file}.${SELF}`, JSON.stringify(entries), { mode: 0o600 });
    renameSync(`${this.#file}.${SELF}`, this.#file);
  }

  /** After one of a base has ended: the last one leaves nothing behind. */
  ended({ base }: Generation): void {
    if (this.youngest()?.base.id === base.id) return;
    if (this.#read().some((entry) => entry.base === base.id)) rmSync(this.#file, { force: true });
    base.remove();
  }

  /**
   * Envoy hands over only to one of its own hot restart version, and breaks both when it is tried.
   *
   * @throws AgentError `HOT_RESTART` when an Envoy of another version lives.
   */
  refuseOther(hotRestart: string): void {
    const { hotRestart: serving } = this.youngest() ?? { hotRestart };
    if (serving === hotRestart) return;
    const what = `the Envoy that serves restarts by itself, with hot restart ${serving}; the new one cannot succeed it`;
    throw new AgentError('HOT_RESTART', what, {
      hint: 'Between the two lies a gap: replace the pod, or run both versions with --adapter exec.',
    });
  }

  #read(): Entry[] {
    try {
      const entries: unknown = JSON.parse(readFileSync(this.#file, 'utf8'));
      return Array.isArray(entries) ? entries.filter(isEntry) : [];
    } catch {
      return [];
    }
  }
}

function isEntry(value: unknown): value is Entry {
  const { base, epoch, hotRestart, by } = (value ?? {}) as Partial<Entry>;
  return (
    Number.isSafeInteger(base) &&
    Number.isSafeInteger(epoch) &&
    typeof hotRestart === 'string' &&
    typeof by === 'string'
  );
}

/** An agent can stand in for either name of an Envoy, never for both. */
function isAlive({ base, epoch }: Generation): boolean {
  return (['parent', 'child'] as const).every((role) => answersDatagrams(base.socketPath(role, epoch)));
}

/**
 * Prepares the shared memory for a child of `parent`: an Envoy that was killed while it started has left a flag there, and until it
 * is cleared every other one believes that it still starts. Only while none of ours does.
 *
 * @returns whether the flag was set; undefined when this layout is not known, and nothing was touched
 * @throws AgentError `SHARED_MEMORY` when this container does not see what the parent's sees.
 */
export function clearStarting({ base }: Generation): boolean | undefined {
  if (!existsSync(base.memoryPath)) {
    throw new AgentError('SHARED_MEMORY', `there is no ${base.memoryPath}, which the Envoy that serves has made`, {
      hint: 'Both containers need the same /dev/shm: the pod has one, unless a volume or the image puts another in its place.',
    });
  }
  const memory = openSync(base.memoryPath, 'r+');
  try {
    const seen = Buffer.alloc(MEMORY_BYTES);
    if (readSync(memory, seen, 0, MEMORY_BYTES, 0) < MEMORY_BYTES || seen.readBigUInt64LE(0) !== BigInt(MEMORY_BYTES)) {
      return undefined;
    }
    const wasSet = seen.readBigUInt64LE(FLAGS_AT) !== 0n;
    if (wasSet) writeSync(memory, Buffer.alloc(MEMORY_BYTES - FLAGS_AT), 0, MEMORY_BYTES - FLAGS_AT, FLAGS_AT);
    return wasSet;
  } finally {
    closeSync(memory);
  }
}
