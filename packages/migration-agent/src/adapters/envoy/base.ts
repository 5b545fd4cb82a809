import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../errors.js';
import { answersDatagrams } from '../../native/datagram-socket.js';

const SHARED_MEMORY = '/dev/shm';
/** Ten times a base id has to fit a signed number of 32 bits. */
const BASES = 200_000_000;
const ROLES = ['parent', 'child', 'udp_parent', 'udp_child'] as const;

export type HotRestartRole = (typeof ROLES)[number];

/**
 * The names under which Envoys of one base id and their agents find each other.
 *
 * With the agent as parent each launch has a base of its own: the agent is generation 0, Envoy 1, and the agent again 2 when it asks
 * Envoy for its sockets. That keeps a flag that a killed Envoy left in shared memory, and its socket files, from meaning anything to
 * the next one. Envoy's own restart has one base for all generations.
 */
export class EnvoyBase {
  readonly id: number;
  /** What `--socket-path` gets. */
  readonly prefix: string;

  private constructor(prefix: string, id: number) {
    this.prefix = prefix;
    this.id = id;
  }

  /** A base that another process has made. */
  static named(prefix: string, id: number): EnvoyBase {
    return new EnvoyBase(prefix, id);
  }

  /** A base that nobody has; its shared memory is made by an Envoy of epoch 0. */
  static fresh(prefix: string): EnvoyBase {
    for (;;) {
      const base = new EnvoyBase(prefix, randomInt(1, BASES));
      if (!existsSync(base.memoryPath)) return base;
    }
  }

  /**
   * Writes the shared memory in which Envoy looks for the version of its parent and then keeps two locks and a flag.
   *
   * @throws AgentError `SHARED_MEMORY` when the container has none.
   */
  static create(prefix: string, version: { major: number; size: number }): EnvoyBase {
    for (;;) {
      const base = new EnvoyBase(prefix, randomInt(1, BASES));
      const memory = Buffer.alloc(version.size);
      memory.writeBigUInt64LE(BigInt(version.size), 0);
      memory.writeBigUInt64LE(BigInt(version.major), 8);
      try {
        writeFileSync(base.memoryPath, memory, { mode: 0o600, flag: 'wx' });
        return base;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw noSharedMemory(error);
      }
    }
  }

  get memoryPath(): string {
    return join(SHARED_MEMORY, `envoy_shared_memory_${this.id * 10}`);
  }

  get adminPath(): string {
    return `${this.prefix}_admin_${this.id}`;
  }

  socketPath(role: HotRestartRole, generation: number): string {
    return `${this.prefix}_${role}_${this.id * 10 + (generation % 3)}`;
  }

  /** Removes everything that has this base's name; only when its Envoys are gone. */
  remove(): void {
    rmSync(this.memoryPath, { force: true });
    rmSync(this.adminPath, { force: true });
    rmSync(`${this.adminPath}.yaml`, { force: true });
    for (const role of ROLES) {
      for (const generation of [0, 1, 2]) rmSync(this.socketPath(role, generation), { force: true });
    }
  }

  /** Removes what agents and Envoys left that were killed: their parent sockets are there and nobody is behind any of them. */
  static sweep(directory: string): void {
    const bases = new Map<string, EnvoyBase>();
    const living = new Set<string>();
    for (const file of readdirSync(directory)) {
      const [, prefix, id] = /^(.+\.envoy)_parent_(\d+)[012]$/.exec(file) ?? [];
      if (prefix === undefined) continue;
      bases.set(`${prefix} ${id}`, new EnvoyBase(join(directory, prefix), Number(id)));
      if (answersDatagrams(join(directory, file))) living.add(`${prefix} ${id}`);
    }
    for (const [name, base] of bases) if (!living.has(name)) base.remove();
  }
}

function noSharedMemory(cause: unknown): AgentError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AgentError('SHARED_MEMORY', `Envoy needs ${SHARED_MEMORY}: ${why}`, {
    hint: `Envoy opens a file of some hundred bytes there at each start; mount a memory emptyDir at ${SHARED_MEMORY}, writable.`,
    cause,
  });
}
