import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Adapter, RunningProgram } from '../adapters/adapter.js';
import type { DrainCounts, DrainTools, Workload } from '../handover/workload.js';
import { closeAll } from '../native/addon.js';
import type { OwnedListener } from '../native/listener.js';
import type { ConnectionRecord } from '../protocol/messages.js';
import { launch } from './launch.js';

export interface SupervisedOptions {
  adapter: Adapter;
  command: string[];
  directory(): string;
  /** How long the program may take to be ready. */
  initMs: number;
  listeners(): OwnedListener[];
  env: Record<string, string | undefined>;
  log(event: string, fields: Record<string, unknown>): void;
}

export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface Run {
  child: ChildProcess;
  program: RunningProgram | undefined;
  retired: boolean;
  ended: Promise<ProgramEnd>;
}

/**
 * The workload of `sidestep-agent run`: a program that takes the sockets from its agent. There is one serving run at a time, and
 * older ones that drain; a resume is a new run with the kept sockets.
 */
export class SupervisedProgram extends EventEmitter<{ ended: [ProgramEnd] }> implements Workload {
  readonly #options: SupervisedOptions;
  readonly #runs = new Set<Run>();
  #serving: Run | undefined;
  #started = 0;

  constructor(options: SupervisedOptions) {
    super();
    this.#options = options;
  }

  /** Starts a run and resolves when it is ready. @throws Error when it ended or was too slow; then nothing of it is left. */
  async start(): Promise<void> {
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort(), this.#options.initMs);
    let run: Run | undefined;
    try {
      const program = await this.#options.adapter.start({
        command: this.#options.command,
        listeners: this.#options.listeners(),
        directory: this.#options.directory(),
        run: ++this.#started,
        spawn: (command, { env = {}, stdio = 'inherit' }) => {
          const child = launch(command, stdio, { ...this.#options.env, ...env });
          run = this.#watch(child, gone);
          return child;
        },
        log: this.#options.log,
        gone: gone.signal,
      });
      if (run) run.program = program;
      this.#serving = run;
    } catch (error) {
      run?.child.kill('SIGTERM');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The commit check: a program that died since it said "ready" must not replace one that serves. */
  async attach(): Promise<void> {
    if (this.#options.adapter.sharing === 'exclusive' && !this.#serving) return;
    if (!this.#serving || !alive(this.#serving)) await this.start();
  }

  detach(): void {
    const run = this.#serving;
    this.#serving = undefined;
    if (!run) return;
    run.retired = true;
    if (run.program) run.program.retire();
    else run.child.kill('SIGTERM');
  }

  async drain(tools: DrainTools): Promise<DrainCounts> {
    const counts = { migrated: 0, drained: 0, killed: 0 };
    const waiting = [...this.#runs].filter((run) => run.retired);
    const allEnded = Promise.all(waiting.map(({ ended }) => ended));
    const over = await Promise.race([allEnded.then(() => false), expiry(tools)]);
    if (over && !tools.cancelled.aborted) {
      counts.killed = waiting.filter(alive).reduce((sum, run) => sum + (run.program?.openConnections?.() ?? 0), 0);
      for (const run of waiting) run.child.kill('SIGKILL');
      await allEnded;
    }
    return counts;
  }

  openConnections(): number {
    return [...this.#runs].reduce((sum, run) => sum + (run.program?.openConnections?.() ?? 0), 0);
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
    this.detach();
    const timer = setTimeout(() => {
      for (const { child } of runs) child.kill('SIGKILL');
    }, withinMs);
    await Promise.all(runs.map(({ ended }) => ended));
    clearTimeout(timer);
  }

  pids(): number[] {
    return [...this.#runs].flatMap(({ child }) => child.pid ?? []);
  }

  #watch(child: ChildProcess, gone: AbortController): Run {
    const ended = new Promise<ProgramEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', (error) => {
        this.#options.log('program-not-started', { error: error.message });
        resolve({ code: 127, signal: null });
      });
    });
    const run: Run = { child, program: undefined, retired: false, ended };
    this.#runs.add(run);
    void ended.then((end) => {
      gone.abort();
      this.#runs.delete(run);
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
