import type { ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import { AgentError } from '../../errors.js';
import { answersDatagrams, DatagramSocket, swallow } from '../../native/datagram-socket.js';
import type { Adapter, RetireReason, RunningProgram, StartTools } from '../adapter.js';
import { familyOf } from '../processes.js';
import { connectionsOf, portsListenedOnBy } from '../sockets-of.js';
import { until } from '../until.js';
import { EnvoyAdmin } from './admin.js';
import { EnvoyBase } from './base.js';
import { hotRestartVersion, launchCommand, readEnvoyCommand } from './command-line.js';
import { Departure } from './departure.js';
import { clearStarting, type Generation, RestartChain } from './restart-chain.js';
import { StandIn } from './stand-in.js';

/** The new Envoy ends the old one this long before the old agent would. */
const RESERVE_MS = 2_000;
/** An Envoy that was given up ends within its agent's last seconds. */
const DECIDED_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 50;
/** The kernel's table of connections can be long. */
const COUNT_EVERY_MS = 500;
/** However short the drain: when the agents have agreed the new Envoy must not have ended the old one yet. */
const LEAST_SHUTDOWN_SECONDS = 10;

/**
 * Envoy's own restart, each Envoy the parent of the next: for one whose hot restart has a number that the agent does not speak.
 *
 * The agents choose base id and epoch, and see to it that no Envoy is left alone with a parent or child that does not answer: after
 * some seconds it would end itself. When the old one stops accepting is Envoy's decision, before the new one is LIVE, and nobody has
 * duplicates of the sockets: a new Envoy that dies after that moment, or a crash with no upgrade, refuses clients until the next start.
 *
 * @see docs/how-to/envoy.md
 */
export const envoyRestart: Adapter = {
  name: 'envoy-restart',
  sharing: 'own',
  adoptsAll: true,
  summary: 'CMD is Envoy, which restarts by itself; `envoy` chooses this for one whose hot restart it does not speak',
  // Killed by its launcher: an Envoy that gets SIGTERM tells its parent to end, and that one may still serve.
  leavesOn: 'SIGUSR2',
  check: ({ command, listeners }) => {
    if (listeners.length > 0) throw new TypeError(NO_LISTEN);
    readEnvoyCommand(command);
  },
  async start(tools: StartTools): Promise<RunningProgram> {
    const { program } = readEnvoyCommand(tools.command);
    const { major, size } = await hotRestartVersion(program);
    const directory = dirname(tools.path('admin'));
    EnvoyBase.sweep(directory);
    const chain = new RestartChain(directory);
    refuseSockets(tools, `${major}.${size}`);
    chain.refuseOther(`${major}.${size}`);
    if (tools.run > 1) await successorGone(chain, tools.gone);
    const parent = chain.youngest();
    if (parent && clearStarting(parent)) tools.log('envoy-start-flag-cleared', { base: parent.base.id });
    const run = new RestartRun(tools, chain, chain.next(parent, `${major}.${size}`));
    await run.ready();
    return run;
  },
};

const NO_LISTEN = 'this Envoy opens and hands over its sockets by itself; remove --listen';

function refuseSockets({ listeners, sockets }: StartTools, hotRestart: string): void {
  if (listeners.length > 0) throw new TypeError(NO_LISTEN);
  const [held] = sockets.all();
  if (!held) return;
  throw new AgentError(
    'HOT_RESTART',
    `the version before has its sockets from the agent (${held.record.name}), and an Envoy of hot restart ${hotRestart} cannot take them`,
    { hint: 'Between the two lies a gap: replace the pod, or run both versions with --adapter exec.' },
  );
}

/** An agent that starts its version again, because it hears nothing of its successor, must not succeed one that serves. */
async function successorGone(chain: RestartChain, gone: AbortSignal): Promise<void> {
  await until(() => chain.youngest()?.own !== false, gone, 'the Envoy of the other container serves');
}

class RestartRun implements RunningProgram {
  readonly child: ChildProcess;
  readonly #tools: StartTools;
  readonly #chain: RestartChain;
  readonly #generation: Generation;
  readonly #admin: EnvoyAdmin;
  readonly #standIn: StandIn | undefined;
  readonly #departure: Departure;
  #ports = new Set<number>();
  /** Takes the answers that this Envoy owes to a child that died. */
  #deadChild: DatagramSocket | undefined;

  constructor(tools: StartTools, chain: RestartChain, generation: Generation) {
    this.#tools = tools;
    this.#chain = chain;
    this.#generation = generation;
    const adminPath = tools.path('admin');
    const parentShutdownSeconds = Math.max(LEAST_SHUTDOWN_SECONDS, Math.floor((tools.drainMs - RESERVE_MS) / 1000));
    const { base, epoch } = generation;
    const { command, free } = launchCommand(readEnvoyCommand(tools.command), {
      ...{ base, epoch, adminPath, parentShutdownSeconds, drainMs: tools.drainMs },
      skipParentStats: true,
    });
    this.#admin = new EnvoyAdmin(adminPath);
    if (epoch > 0) this.#standIn = new StandIn(generation, tools.log);
    this.child = tools.spawn(command, {});
    this.#departure = new Departure(
      this.child,
      () => connectionsOf(familyOf(this.child.pid!), this.#ports),
      COUNT_EVERY_MS,
    );
    this.child.once('exit', () => {
      this.close();
      free();
      chain.ended(generation);
    });
  }

  /** LIVE, and by its epoch this very Envoy: the one before has stopped accepting by then. */
  async ready(): Promise<void> {
    const { gone } = this.#tools;
    const { epoch } = this.#generation;
    await until(() => this.#admin.isLive(epoch), gone, `not LIVE as epoch ${epoch}`);
    this.#ports = await portsListenedOnBy(familyOf(this.child.pid!));
    this.#chain.record(this.#generation);
    this.#tools.log('envoy-restarted', { base: this.#generation.base.id, epoch });
  }

  /** The new Envoy has told this one to drain. It also tells it to end, after a time; when it has nothing left it can go before. */
  retire(why: RetireReason): void {
    // After a failed attempt its admin is closed: then it accepts until it has nothing left, or the time is over.
    if (why === 'terminating')
      this.#admin.drain().catch((error: unknown) => this.#tools.log('envoy-cannot-drain', { error: String(error) }));
    // Without a port there is nothing to count, and zero would mean nothing.
    if (this.#ports.size > 0 || why === 'terminating') this.#departure.begin();
  }

  /** Whether the attempt ended before Envoy told this one to stop. */
  async stillServes(): Promise<boolean> {
    const { base, epoch } = this.#generation;
    const child = base.socketPath('child', epoch + 1);
    const deadline = performance.now() + DECIDED_WITHIN_MS;
    while (answersDatagrams(child) && performance.now() < deadline) await pause();
    if (!this.#alive()) return false;
    // An answer on its way to a name that is gone would be tried for ten seconds, and then end this Envoy.
    this.#deadChild?.close();
    this.#deadChild = new DatagramSocket(child, 1, swallow);
    // What the dead one has sent is read in the order in which it came.
    await pause();
    return this.#ports.size === 0 || (await portsListenedOnBy(familyOf(this.child.pid!))).size > 0;
  }

  openConnections(): number {
    return this.#departure.left;
  }

  close(): void {
    this.#departure.stop();
    this.#standIn?.close();
    this.#deadChild?.close();
  }

  #alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}
