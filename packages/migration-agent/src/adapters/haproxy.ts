import type { ChildProcess } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import type { OwnedListener } from '../native/listener.js';
import type { Adapter, RunningProgram, StartTools } from './adapter.js';
import { until } from './until.js';

const FIRST_FD = 3;
const ASK_MS = 1_000;
/** Over this time kept-alive connections are told to close; all at once would cut far more requests that are on their way. */
const CLOSE_SPREAD = '2s';

const NEVER: Record<string, string> = {
  '-sf': 'the process of that number in this container is another one',
  '-st': 'the process of that number in this container is another one',
  '-x': 'the agent has the sockets; use `bind fd@3` instead',
  '-D': 'the agent has to see HAProxy end; leave it out',
  '-c': 'it checks the configuration and does not serve',
  '-v': 'it prints the version and does not serve',
};

/**
 * HAProxy with the agent's sockets by `bind fd@N`: 3 is the first --listen, and `"fd@$SIDESTEP_FD_<NAME>"` finds one by its name.
 *
 * Two small files go around the user's configuration: before it a default for `close-spread-time`, which the user's own line
 * replaces, and after it a stats socket and a `node` name of this run. Ready: that socket answers with that name, which no other
 * process can, and every --listen has a listener behind it. Leaves on SIGUSR1.
 *
 * Needs HAProxy 2.4 (2.6 for `close-spread-time`). Stick tables travel by HAProxy's own peers protocol, not by the agent.
 */
export const haproxy: Adapter = {
  name: 'haproxy',
  sharing: 'shared',
  summary: 'HAProxy takes its sockets by `bind fd@3`, fd@4 ... in the order of --listen',
  leavesOn: 'SIGUSR1',
  check: ({ command: [, ...options], listeners }) => {
    const udp = listeners.find(({ kind }) => kind === 'udp');
    if (udp) throw new TypeError(`HAProxy has no use for the UDP listener ${udp.name}`);
    for (const option of options) {
      if (NEVER[option]) throw new TypeError(`${option} cannot be used under the agent: ${NEVER[option]}`);
    }
  },
  async start(tools: StartTools): Promise<RunningProgram> {
    const files = filesOf(tools);
    const node = `gen${tools.run}-${process.pid}`;
    write(files, node);
    const close = (): void => {
      for (const path of Object.values(files)) rmSync(path, { force: true });
    };
    let child: ChildProcess | undefined;
    try {
      child = tools.spawn(surrounded(tools.command, files), {
        env: descriptorNames(tools.listeners),
        stdio: ['inherit', 'inherit', 'inherit', ...tools.listeners.map(({ fd }) => fd)],
      });
      await serves(files.socket, node, tools.gone);
      await refuseUnbound(files.socket, tools.listeners);
    } catch (error) {
      close();
      throw error;
    }
    const started = child;
    return { child: started, retire: () => void started.kill('SIGUSR1'), close };
  },
};

interface Files {
  before: string;
  after: string;
  socket: string;
}

function filesOf(tools: StartTools): Files {
  return {
    before: tools.path('haproxy-before.cfg'),
    after: tools.path('haproxy-after.cfg'),
    socket: tools.path('haproxy.sock'),
  };
}

function write({ before, after, socket }: Files, node: string): void {
  rmSync(socket, { force: true });
  writeFileSync(before, `global\n  .if version_atleast(2.6)\n  close-spread-time ${CLOSE_SPREAD}\n  .endif\n`, {
    mode: 0o600,
  });
  writeFileSync(after, `global\n  stats socket ${socket} mode 600 level admin\n  node ${node}\n`, { mode: 0o600 });
}

function surrounded([program = '', ...given]: string[], files: Files): string[] {
  const dashes = given.indexOf('--');
  const options = dashes < 0 ? given : given.slice(0, dashes);
  const listed = dashes < 0 ? [] : given.slice(dashes + 1).flatMap((file) => ['-f', file]);
  const foreground = options.includes('-db') ? [] : ['-db'];
  return [program, ...foreground, '-f', files.before, ...options, ...listed, '-f', files.after];
}

function descriptorNames(listeners: OwnedListener[]): Record<string, string> {
  const names = listeners.map(({ record }, index) => {
    return [`SIDESTEP_FD_${record.name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()}`, String(FIRST_FD + index)];
  });
  return Object.fromEntries(names);
}

async function serves(socket: string, node: string, gone: AbortSignal): Promise<void> {
  const answers = async (): Promise<boolean> => {
    const lines = (await ask(socket, 'show info')).split('\n');
    return lines.includes(`node: ${node}`) && lines.includes('Stopping: 0');
  };
  await until(answers, gone, 'no answer on its stats socket');
}

/** Nobody would take the connections from a descriptor without a `bind`, and they would wait for ever. */
async function refuseUnbound(socket: string, listeners: OwnedListener[]): Promise<void> {
  for (const [index, { record }] of listeners.entries()) {
    const what = await ask(socket, `show fd ${FIRST_FD + index}`);
    if (/\biocb=\S*accept/.test(what)) continue;
    throw new Error(
      `HAProxy has no "bind fd@${FIRST_FD + index}" for ${record.name}; with an address it opens a socket of its own`,
    );
  }
}

/** One command's answer; empty when nobody answers. */
function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = createConnection(path);
    socket.setTimeout(ASK_MS, () => socket.destroy());
    socket.once('connect', () => socket.write(`${command}\n`));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.once('error', () => undefined);
    socket.once('close', () => resolve(answer));
  });
}
