import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { adapterNamed, checkUsage } from '../adapters/registry.js';
import { environment, readConfig } from '../config.js';
import { AgentError } from '../errors.js';
import { Participant } from '../handover/participant.js';
import { addon } from '../native/addon.js';
import type { ListenerPlan, OwnedListener } from '../native/listener.js';
import type { ProgramEnd } from '../supervise/not-ready.js';
import { SupervisedProgram } from '../supervise/supervised-program.js';
import { listenerPlansOf } from '../takeover/listener-spec.js';
import { settingsFrom } from '../takeover/settings.js';

/** An activated program accepts from its start on: one that is given up may answer what it has taken. */
const GIVE_UP_MS = 5_000;

/**
 * Where the program holds the sockets the old one cannot just accept beside a silent successor: it would have to be started anew, which cuts
 * what both serve. So a successor's agent may be silent for longer than a starved machine makes it.
 */
const SILENCE_WHERE_PROGRAMS_BIND_MS = 5_000;

/** The container's program: owns the sockets, runs CMD with them, hands both over. */
export async function runCommand(args: string[]): Promise<number> {
  const config = readConfig();
  const { own, command } = split(args);
  const { values } = parseArgs({
    args: own,
    options: { adapter: { type: 'string' }, listen: { type: 'string', multiple: true }, ready: { type: 'string' } },
  });
  const named = adapterNamed(values.adapter ?? config.adapter);
  const readySign = values.ready ?? config.ready;
  const plans = listenerPlansOf([...config.listen, ...(values.listen ?? [])]);
  checkUsage(named, { command, readySign, listeners: plans });
  const adapter = (await named.insteadFor?.(command)) ?? named;
  const exclusive = adapter.sharing === 'exclusive';
  const agentBinds = adapter.sharing === 'shared';
  const limits = agentBinds ? {} : { heartbeatLimitMs: SILENCE_WHERE_PROGRAMS_BIND_MS };
  const settings = { ...settingsFrom({ limits }, config, {}), adoptsAll: adapter.adoptsAll === true };
  const program: SupervisedProgram = new SupervisedProgram({
    adapter,
    command,
    directory: () => participant.agent.directory.path,
    slot: config.slot,
    readySign,
    initMs: settings.limits.initMs,
    drainMs: settings.limits.drainMs,
    sockets: {
      all: () => participant.agent.owned.values(),
      add: (listener) => participant.agent.hold(listener),
      drop: (name) => participant.agent.letGo(name),
    },
    listeners: () => (agentBinds ? [...participant.agent.owned.values()] : plans.map(unboundListener)),
    env: environment(),
    log: settings.log,
  });
  const participant: Participant = new Participant(settings, config.hint, agentBinds ? plans : [], program);
  adoptOrphans(program);
  const ended = new Promise<ProgramEnd>((resolve) => program.once('ended', resolve));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void participant.stop(settings.limits.drainMs));
  }
  try {
    await serve(participant, program, exclusive);
  } catch (error) {
    if (error instanceof AgentError && error.code === 'STOPPED') return 0;
    await program.end(GIVE_UP_MS);
    throw error;
  }
  const end = await Promise.race([ended, participant.done.then(() => undefined)]);
  if (end === undefined) return 0;
  // The program ended by itself. The custodian, or a guarding predecessor, has the sockets from here.
  participant.agent.release();
  return end.signal ? 128 + constants.signals[end.signal] : (end.code ?? 1);
}

async function serve(participant: Participant, program: SupervisedProgram, exclusive: boolean): Promise<void> {
  await participant.start();
  try {
    if (!exclusive) await program.start();
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    participant.fail(error);
  }
  await participant.ready(exclusive ? () => program.start() : undefined);
}

function split(args: string[]): { own: string[]; command: string[] } {
  const dashes = args.indexOf('--');
  const command = dashes < 0 ? [] : args.slice(dashes + 1);
  if (command.length === 0) throw new TypeError('run needs a program: sidestep-agent run [options] -- CMD');
  return { own: args.slice(0, dashes), command };
}

/** With `exec` the agent has no socket, but knows where the program will listen. */
function unboundListener(plan: ListenerPlan): OwnedListener {
  const { name, kind, host, port, path, backlog } = plan;
  return { fd: -1, record: { name, kind, host, port, path, backlog, cookie: '' } };
}

/** Pid 1 inherits every orphan of its container and must collect them. */
function adoptOrphans(program: SupervisedProgram): void {
  if (process.pid === 1) process.on('SIGCHLD', () => setImmediate(() => addon().reapOrphans(program.pids())));
}
