import type { ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import type { Adapter, RunningProgram, StartTools } from '../adapter.js';
import { until } from '../until.js';
import { EnvoyAdmin } from './admin.js';
import { AdminDoor } from './admin-door.js';
import { EnvoyBase } from './base.js';
import { HotRestartChild } from './child.js';
import { type EnvoyCommand, hotRestartVersion, isSpoken, launchCommand, readEnvoyCommand } from './command-line.js';
import { cutOff, Departure } from './departure.js';
import { envoyRestart } from './envoy-restart.js';
import { HotRestartParent } from './parent.js';
import { RestartChain } from './restart-chain.js';
import { ADMIN, EnvoySockets } from './sockets.js';

const LOOK_FOR_LISTENERS_MS = 5_000;
/** The agent is the parent, of epoch 0. */
const EPOCH = 1;

/**
 * Envoy, with the agent as its hot restart parent: Envoy opens its sockets or gets those of the version before, says by
 * `DrainListeners` that it accepts, and stops accepting when its own agent sends it the same.
 *
 * @see docs/how-to/envoy.md
 */
export const envoy: Adapter = {
  name: 'envoy',
  sharing: 'shared',
  adoptsAll: true,
  summary: 'CMD is Envoy: every listener it has, by its own hot restart protocol',
  kill: cutOff,
  check: ({ command }) => void readEnvoyCommand(command),
  async insteadFor(command) {
    // A program that cannot be asked is for `start` to refuse.
    const version = await hotRestartVersion(readEnvoyCommand(command).program).catch(() => undefined);
    return version === undefined || isSpoken(version) ? undefined : envoyRestart;
  },
  async start(tools: StartTools): Promise<RunningProgram> {
    const command = readEnvoyCommand(tools.command);
    const version = await hotRestartVersion(command.program);
    const prefix = tools.path('envoy');
    new RestartChain(dirname(prefix)).refuseOther('none');
    EnvoyBase.sweep(dirname(prefix));
    const base = EnvoyBase.create(prefix, version);
    let run: EnvoyRun;
    try {
      run = new EnvoyRun(tools, command, base);
    } catch (error) {
      base.remove();
      throw error;
    }
    await run.ready();
    return run;
  },
};

class EnvoyRun implements RunningProgram {
  readonly child: ChildProcess;
  readonly #tools: StartTools;
  readonly #admin: EnvoyAdmin;
  readonly #sockets: EnvoySockets;
  readonly #asParent: HotRestartParent;
  readonly #asChild: HotRestartChild;
  readonly #departure: Departure;
  #accepts = false;
  #door: AdminDoor | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(tools: StartTools, command: EnvoyCommand, base: EnvoyBase) {
    this.#tools = tools;
    this.#admin = new EnvoyAdmin(base.adminPath);
    this.#sockets = new EnvoySockets(tools.sockets, tools.log);
    this.#asParent = new HotRestartParent(base, EPOCH, {
      socketFor: (address, worker) => this.#sockets.find(address, worker),
      reusePort: command.udp,
      serving: () => {
        this.#accepts = true;
      },
      log: tools.log,
    });
    this.#asChild = new HotRestartChild(base, (error) =>
      tools.log('envoy-message-unreadable', { error: String(error) }),
    );
    const { command: line, free } = launchCommand(command, {
      base,
      epoch: EPOCH,
      adminPath: base.adminPath,
      // As soon as its workers run, Envoy may forget its parent: a UDP listener that it got begins to read only then.
      parentShutdownSeconds: 0,
      skipParentStats: false,
      drainMs: tools.drainMs,
    });
    this.child = tools.spawn(line, {});
    this.#departure = new Departure(this.child, () => this.#admin.connections());
    this.child.once('exit', () => {
      this.close();
      free();
      base.remove();
    });
  }

  /** Resolves when Envoy's workers accept, it is LIVE, and the agent has duplicates of all its sockets. */
  async ready(): Promise<void> {
    const { gone } = this.#tools;
    await until(() => this.#accepts, gone, 'its workers do not accept');
    await until(() => this.#admin.isLive(EPOCH), gone, 'not LIVE');
    await this.#settle();
    const door = [...this.#tools.sockets.all()].find(({ record }) => record.name === ADMIN);
    if (door) {
      this.#door = new AdminDoor(door, this.#admin.path, ({ message }) =>
        this.#tools.log('envoy-admin-unreachable', { error: message }),
      );
    }
    if (await this.#admin.discoversListeners()) {
      this.#watch = setInterval(() => void this.#settle().catch(() => undefined), LOOK_FOR_LISTENERS_MS);
      this.#watch.unref();
    }
  }

  retire(): void {
    clearInterval(this.#watch);
    this.#door?.close();
    this.#asChild.drain(() => this.child.exitCode !== null || this.child.signalCode !== null);
    this.#departure.begin();
  }

  openConnections(): number {
    return this.#departure.left;
  }

  close(): void {
    clearInterval(this.#watch);
    this.#door?.close();
    this.#departure.stop();
    this.#asParent.close();
    this.#asChild.close();
  }

  #settle(): Promise<void> {
    return this.#sockets.settle({
      listeners: () => this.#admin.listeners(),
      listenSocket: (address, worker) => this.#asChild.listenSocket(address, worker),
    });
  }
}
