import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Adapter, RetireReason, RunningProgram, SocketKeeper } from '../adapters/adapter.js';
import { familyOf } from '../adapters/processes.js';
import { ConnectionWatch, connectionsOf } from '../adapters/sockets-of.js';
import { AgentError } from '../errors.js';
import type { DrainCounts, DrainTools, Workload } from '../handover/workload.js';
import { closeAll } from '../native/addon.js';
import type { OwnedListener } from '../native/listener.js';
import type { ConnectionRecord } from '../protocol/messages.js';
import { killAll, launch } from './launch.js';
import { type Gone, notReady, type ProgramEnd } from './not-ready.js';

export interface SupervisedOptions {
  adapter: Adapter;
  command: string[];
  /** Where this agent puts its files: the private directory, and what tells it apart from the others there. */
  directory(): string;
  slot: string;
  readySign: string | undefined;
  /** How long the program may take to be ready. */
  initMs: number;
  listeners(): OwnedListener[];
  sockets: SocketKeeper;
  drainMs: number;
  env: Record<string, string | undefined>;
  log(event: string, fields: Record<string, unknown>): void;
}

/** An adapter may fail on what the end of its program does a moment before that end is heard of. */
const ENDED_IS_KNOWN_MS = 500;

interface Run {
  child: ChildProcess;
  program: RunningProgram | undefined;
  retired: boolean;
  ended: Promise<ProgramEnd>;
  /** Looks from the moment in which it is retired. */
  connections: ConnectionWatch;
}

/**
 * The workload of `sidestep-agent run`: a program that takes the sockets from its agent. There is one serving run at a time, and
 * older ones that drain; a resume is a new run with the kept sockets.
 */
export class SupervisedProgram extends EventEmitter<{ ended: [ProgramEnd] }> implements Workload {
  readonly #options: SupervisedOptions;
  readonly #runs = new Set<Run>();
  #serving: Run | undefined;
  #starting: { run: Run | undefined; wanted: boolean; ready: Promise<void> } | undefined;
  #started = 0;

  constructor(options: SupervisedOptions) {
    super();
    this.#options = options;
  }

  /**
   * Starts a run and resolves when it is ready. One at a time: whoever asks again meanwhile waits for the same one.
   *
   * @throws AgentError `PROGRAM_NOT_READY` when it ended, was too slow or is refused by its adapter, and what the adapter throws.
   */
  start(): Promise<void> {
    if (!this.#starting) {
      this.#starting = { run: undefined, wanted: true, ready: Promise.resolve() };
      this.#starting.ready = this.#begin(this.#starting).finally(() => {
        this.#starting = undefined;
      });
    }
    this.#want(true);
    return this.#starting.ready;
  }

  /** The successor speaks again, or is silent again, while a run starts in its place. */
  #want(wanted: boolean): void {
    if (!this.#starting) return;
    this.#starting.wanted = wanted;
    if (this.#starting.run) this.#starting.run.retired = !wanted;
  }

  async #begin(starting: { run: Run | undefined; wanted: boolean }): Promise<void> {
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort({ limitMs: this.#options.initMs } satisfies Gone), this.#options.initMs);
    let run: Run | undefined;
    const number = ++this.#started;
    try {
      const program = await this.#options.adapter.start({
        command: this.#options.command,
        listeners: this.#options.listeners(),
        sockets: this.#options.sockets,
        drainMs: this.#options.drainMs,
        readySign: this.#options.readySign,
        path: (name) => `${this.#options.directory()}/${this.#options.slot}.${process.pid}.${number}.${name}`,
        run: number,
        spawn: (command, { env = {}, stdio = 'inherit' }) => {
          const child = launch(command, stdio, { ...this.#options.env, ...env });
          run = this.#watch(child, gone);
          run.retired = !starting.wanted;
          starting.run = run;
          return child;
        },
        log: this.#options.log,
        gone: gone.signal,
      });
      if (run) run.program = program;
      if (starting.wanted) this.#serving = run;
      else program.retire('succeeded');
    } catch (error) {
      throw await this.#failure(error, run, gone.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends what is left of a start that failed; resolves with what is said about it. */
  async #failure(error: unknown, run: Run | undefined, gone: AbortSignal): Promise<AgentError> {
    if (run && !(error instanceof AgentError)) await endedSoon(run);
    run?.child.kill(this.#options.adapter.leavesOn);
    if (error instanceof AgentError) return error;
    return notReady(this.#options.command, gone.reason as Gone | undefined, error);
  }

  /** The commit check: a program that died since it said "ready" must not replace one that serves. */
  async attach(): Promise<void> {
    const { sharing, holdsAddressesToItsEnd } = this.#options.adapter;
    // What cannot bind yet is started last, once the old one has stopped. Later it is a resume.
    if (sharing === 'exclusive' && this.#started === 0) return;
    if (holdsAddressesToItsEnd && !this.#serving) await this.#endRetired();
    if (!this.#serving || !alive(this.#serving)) await this.start();
  }

  detach(why: RetireReason = 'succeeded'): void {
    const run = this.#serving;
    this.#serving = undefined;
    this.#want(false);
    if (!run) return;
    run.retired = true;
    run.connections.begin();
    if (run.program) run.program.retire(why);
    else run.child.kill('SIGTERM');
  }

  /** A program that hands over by itself may have gone too far to go on. */
  kept(): void {
    const run = this.#serving;
    void run?.program?.stillServes?.().then(async (serves) => {
      if (serves || this.#serving !== run) return;
      this.#options.log('program-has-left', {});
      this.detach();
      await this.attach();
    }, this.#cannotGoOn);
  }

  async drain(tools: DrainTools): Promise<DrainCounts> {
    const counts = { migrated: 0, drained: 0, killed: 0 };
    const waiting = [...this.#runs].filter((run) => run.retired);
    const allEnded = Promise.all(waiting.map(({ ended }) => ended));
    const over = await Promise.race([allEnded.then(() => false), expiry(tools)]);
    if (over && !tools.cancelled.aborted) {
      await Promise.all(waiting.map(({ connections }) => connections.look()));
      counts.killed = waiting.filter(alive).reduce((sum, run) => sum + connectionsTo(run), 0);
      for (const run of waiting) this.#kill(run);
      await allEnded;
    }
    return counts;
  }

  openConnections(): number {
    return [...this.#runs].reduce((sum, run) => sum + connectionsTo(run), 0);
  }

  ticketKeys(): Record<string, string> {
    return {};
  }

  useTicketKeys(): void {}

  adopt(_record: ConnectionRecord, fd: number): boolean {
    closeAll([fd]);
    return false;
  }

  /** Ends every run: asks first, so that what they have accepted is answered, and cuts what is left after `withinMs`. */
  async end(withinMs: number): Promise<void> {
    const runs = [...this.#runs];
    this.detach('terminating');
    const timer = setTimeout(() => {
      for (const run of runs) this.#kill(run);
    }, withinMs);
    await Promise.all(runs.map(({ ended }) => ended));
    clearTimeout(timer);
  }

  /** Nobody keeps a duplicate of the sockets of these: as long as one of them lives, no other can bind. */
  async #endRetired(): Promise<void> {
    const runs = [...this.#runs];
    for (const run of runs) this.#kill(run);
    await Promise.all(runs.map(({ ended }) => ended));
  }

  #kill({ child }: Run): void {
    const { adapter } = this.#options;
    if (adapter.kill) adapter.kill(child);
    else killAll(child);
  }

  readonly #cannotGoOn = (error: unknown): void => {
    this.#options.log('cannot-start-again', { error: String(error) });
    this.emit('ended', { code: 1, signal: null });
  };

  pids(): number[] {
    return [...this.#runs].flatMap(({ child }) => child.pid ?? []);
  }

  /** Of the listeners that it is started with: when somebody asks, the agent may have closed them. */
  #connectionsOf(child: ChildProcess): ConnectionWatch {
    const records = this.#options.listeners().map(({ record }) => record);
    const ports = new Set(records.flatMap(({ kind, port }) => (kind === 'tcp' && port ? [port] : [])));
    return new ConnectionWatch(() => connectionsOf(child.pid ? familyOf(child.pid) : [], ports));
  }

  #watch(child: ChildProcess, gone: AbortController): Run {
    const ended = new Promise<ProgramEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', (error) => {
        this.#options.log('program-not-started', { error: error.message });
        resolve({ code: 127, signal: null });
      });
    });
    const run: Run = { child, program: undefined, retired: false, ended, connections: this.#connectionsOf(child) };
    this.#runs.add(run);
    void ended.then((end) => {
      gone.abort({ ended: end } satisfies Gone);
      this.#runs.delete(run);
      run.connections.end();
      run.program?.close();
      this.#options.log('program-ended', { ...end, retired: run.retired });
      if (this.#serving !== run) return;
      this.#serving = undefined;
      this.emit('ended', end);
    });
    return run;
  }
}

function alive({ child }: Run): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function endedSoon({ ended }: Run): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const known = new Promise<void>((resolve) => {
    // A loop that stood still looks at its timers before it hears of the end.
    timer = setTimeout(() => setImmediate(resolve), ENDED_IS_KNOWN_MS);
  });
  await Promise.race([ended, known]);
  clearTimeout(timer);
}

function connectionsTo({ program, connections }: Run): number {
  return program?.openConnections?.() ?? connections.left;
}

/** True when the time is over (it may get shorter while waiting), also when the drain is cancelled. */
function expiry(tools: DrainTools): Promise<boolean> {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (tools.remainingMs() > 0 && !tools.cancelled.aborted) return;
      clearInterval(look);
      resolve(true);
    }, 100);
    look.unref();
  });
}
