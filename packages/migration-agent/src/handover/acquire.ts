import { randomBytes } from 'node:crypto';
import { AgentError } from '../errors.js';
import { addon, SystemCallError } from '../native/addon.js';
import { fits, type ListenerPlan, type OwnedListener, openListener } from '../native/listener.js';
import { type Agent, FEATURES } from './agent.js';
import { monotonicMs } from './reduction.js';
import { type Imported, type TakerHost, TakerSession } from './taker-session.js';

/** How the listeners came: bound here, or asked from their holder (then `session` goes on until the old one has drained). */
export interface Acquired {
  session: TakerSession | undefined;
  imported: Imported | undefined;
}

type Attempt =
  | { outcome: 'imported'; session: TakerSession }
  | { outcome: 'absent' }
  | { outcome: 'retry'; reason: string; afterMs: number };

const PAUSE_MS = 20;

/** More names than this may not fit a frame; then everything is asked for, and what is not wanted is closed here. */
const MOST_WANTS = 64;

/** What each refusal means for whoever starts this program. */
const HINTS: Record<string, string> = {
  'auth-failed': 'Both containers must see the same private directory and run as the same user.',
  'version-mismatch': 'Upgrade in smaller steps: the two agents share no protocol version.',
  'listener-fault': 'The holder sent a socket that is not what it announced; its log says more.',
};

/**
 * Gets every planned listener: from the running holder, from a custodian, or by binding it.
 *
 * Nobody there (ENOENT, ECONNREFUSED) means binding; addresses in use mean that a holder exists which does not answer yet, so ask
 * again until the limit.
 *
 * @throws AgentError `ABORTED`, `ADDRESS_IN_USE`, `HOLDER_SILENT`.
 */
export async function acquire(agent: Agent, plans: ListenerPlan[], port: TakerPort): Promise<Acquired> {
  const deadline = monotonicMs() + agent.settings.limits.coldStartMs;
  let last: unknown;
  for (;;) {
    const attempt = await ask(agent, plans, port);
    if (attempt.outcome === 'imported') {
      for (const listener of attempt.session.imported.listeners) replace(agent, listener);
      agent.board.count('takeover_fds{dir="in"}', attempt.session.imported.listeners.length);
      openMissing(agent, plans, attempt.session);
      return { session: attempt.session, imported: attempt.session.imported };
    }
    if (attempt.outcome === 'absent') {
      last = openAll(agent, plans);
      if (last === undefined) return { session: undefined, imported: undefined };
    } else last = attempt;
    if (monotonicMs() > deadline) throw givenUp(last);
    await new Promise((resolve) => setTimeout(resolve, attempt.outcome === 'retry' ? attempt.afterMs : PAUSE_MS));
  }
}

function givenUp(last: unknown): AgentError {
  if (last instanceof Error) {
    return new AgentError('ADDRESS_IN_USE', last.message, {
      hint: 'Another process of this pod listens there ("ss -lntup" names it), or a version before that has another private directory: on the take-over socket of this one nobody answers.',
      cause: last,
    });
  }
  const reason = (last as { reason?: string }).reason ?? 'unknown';
  return new AgentError('HOLDER_SILENT', `the holder of the listeners did not hand them over (${reason})`, {
    hint: 'The process on the take-over socket hangs or is busy; it still serves if it can.',
    retry: 'backoff',
  });
}

function replace(agent: Agent, listener: OwnedListener): void {
  const before = agent.owned.get(listener.record.name);
  if (before) addon().close(before.fd);
  agent.owned.set(listener.record.name, listener);
}

/** Binds all or none; what this process kept as a custodian it has already. Returns the error for an address in use; throws others. */
function openAll(agent: Agent, plans: ListenerPlan[]): unknown {
  const opened: OwnedListener[] = [];
  try {
    for (const plan of plans) {
      if (!has(agent, plan)) opened.push(openListener(plan));
    }
    for (const listener of opened) replace(agent, listener);
    return undefined;
  } catch (error) {
    for (const { fd } of opened) addon().close(fd);
    if (inUse(error)) return error;
    throw error;
  }
}

/** Under its own name, or, where names are the program's own affair, under any. */
function has(agent: Agent, plan: ListenerPlan): boolean {
  const named = agent.owned.get(plan.name);
  if (named) return fits(plan, named);
  return agent.settings.adoptsAll && [...agent.owned.values()].some((listener) => fits(plan, listener));
}

/** Listeners that this version has and the old one did not. */
function openMissing(agent: Agent, plans: ListenerPlan[], session: TakerSession): void {
  for (const plan of plans) {
    if (has(agent, plan)) continue;
    try {
      replace(agent, openListener(plan));
    } catch (cause) {
      const error = inUse(cause) ? takenUnderAnotherName(plan, cause) : cause;
      session.dispatch({ type: 'program-failed', message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }
}

/** The holder has answered, and has no listener of this name and address. */
function takenUnderAnotherName({ name }: ListenerPlan, cause: SystemCallError): AgentError {
  return new AgentError('ADDRESS_IN_USE', `listener ${name}: ${cause.message}`, {
    hint: 'The version before listens there under another name, or another process of this pod does. Listeners change hands by their names: keep the name that "sidestep-agent status" shows in the old container. "ss -lntup" names other processes.',
    cause,
  });
}

function inUse(error: unknown): error is SystemCallError {
  return error instanceof SystemCallError && error.errno === 'EADDRINUSE';
}

/** What the new program does when its conversation says so. */
export interface TakerPort {
  attach(): Promise<void>;
  detach(): void;
  settled(session: TakerSession): void;
  failed(error: AgentError): void;
}

function ask(agent: Agent, plans: ListenerPlan[], port: TakerPort): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    let session: TakerSession | undefined;
    const host = takerHost(agent, plans, port, {
      imported: () => resolve({ outcome: 'imported', session: session! }),
      retry: (reason, afterMs) => resolve({ outcome: 'retry', reason, afterMs }),
      failed: (error) => {
        reject(error);
        port.failed(error);
      },
      settled: () => port.settled(session!),
    });
    try {
      session = new TakerSession(agent.directory.takeoverPath, takerContext(agent, plans), host);
    } catch (error) {
      const errno = error instanceof SystemCallError ? error.errno : undefined;
      if (errno === 'ENOENT' || errno === 'ECONNREFUSED') resolve({ outcome: 'absent' });
      else if (errno === 'EAGAIN') resolve({ outcome: 'retry', reason: 'holder-busy', afterMs: PAUSE_MS });
      else reject(error);
    }
  });
}

export function takerContext(agent: Agent, plans: ListenerPlan[], role: 'successor' | 'custodian' = 'successor') {
  return {
    limits: agent.settings.limits,
    role,
    instance: agent.instance,
    appVersion: agent.settings.version,
    versions: agent.settings.versions,
    features: FEATURES,
    nonce: randomBytes(32).toString('hex'),
    secret: agent.directory.secret,
    wants: plans.length <= MOST_WANTS && !agent.settings.adoptsAll ? plans.map(({ name }) => name) : [],
    unwanted: [],
  };
}

interface Outcome {
  imported(): void;
  retry(reason: string, afterMs: number): void;
  failed(error: AgentError): void;
  settled(): void;
}

function takerHost(agent: Agent, plans: ListenerPlan[], port: TakerPort, outcome: Outcome): TakerHost {
  const byName = new Map(plans.map((plan) => [plan.name, plan]));
  return {
    accepts: (listener) => {
      const plan = byName.get(listener.record.name);
      return plan === undefined ? agent.settings.adoptsAll : fits(plan, listener);
    },
    imported: () => outcome.imported(),
    attach: () => port.attach(),
    detach: () => port.detach(),
    own: () => outcome.settled(),
    kept: () => undefined,
    holderGone: () => undefined,
    adopt: (record, fd) => agent.workload.adopt(record, fd),
    counters: (delta) => agent.emit('counters', delta),
    retry: (reason, afterMs) => outcome.retry(reason, afterMs),
    fail: (reason, message) => {
      const hint =
        HINTS[reason] ?? 'Whoever served before still does; the log of the other container says why it refused.';
      outcome.failed(new AgentError('ABORTED', `${reason}: ${message}`, { hint, retry: 'backoff' }));
    },
    closed: (reason) => {
      agent.predecessor = undefined;
      if (reason === 'bad-frame') agent.settings.log('predecessor-unreadable', {});
    },
    interrupt: agent.interrupt,
  };
}
