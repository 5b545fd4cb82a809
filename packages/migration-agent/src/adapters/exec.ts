import { connect } from 'node:net';
import type { ListenerRecord } from '../protocol/messages.js';
import type { Adapter, RunningProgram, StartTools } from './adapter.js';

const PROBE_EVERY_MS = 20;
const NO_ADDRESS_SETTLE_MS = 500;

/**
 * A program that takes no sockets and says nothing. It binds its own addresses, so the old one must stop first: connections are
 * refused for as long as the old one's stop and the new one's start take. Ready means that the `--listen` addresses answer; without
 * any, that it has lived for half a second.
 */
export const exec: Adapter = {
  name: 'exec',
  sharing: 'exclusive',
  summary:
    'CMD opens its sockets itself: the old one is stopped first, and nobody is answered until the new one serves',
  async start(tools: StartTools): Promise<RunningProgram> {
    const targets = tools.listeners
      .map(({ record }) => record)
      .filter(({ kind }) => kind !== 'udp')
      .map(targetOf);
    // While the old program still listens its answers would be taken for the new one's.
    for (const target of targets) while (!tools.gone.aborted && (await answers(target))) await pause(PROBE_EVERY_MS);
    const child = tools.spawn(tools.command, {});
    if (targets.length === 0) await pause(NO_ADDRESS_SETTLE_MS);
    for (const target of targets) while (!tools.gone.aborted && !(await answers(target))) await pause(PROBE_EVERY_MS);
    if (tools.gone.aborted) throw new Error('no answer on its addresses');
    return { child, retire: () => void child.kill('SIGTERM'), close: () => undefined };
  },
};

type Target = { path: string } | { host: string; port: number };

function targetOf({ kind, path, host, port }: ListenerRecord): Target {
  if (kind === 'unix') return { path: path ?? '' };
  if (host === '0.0.0.0') return { host: '127.0.0.1', port: port ?? 0 };
  return { host: host === '::' ? '::1' : (host ?? ''), port: port ?? 0 };
}

function answers(target: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
