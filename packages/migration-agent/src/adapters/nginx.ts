import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { AF_UNIX, addon, orThrow, SOCK_STREAM } from '../native/addon.js';
import type { OwnedListener } from '../native/listener.js';
import type { Adapter, RunningProgram, StartTools } from './adapter.js';
import { checkListeners } from './listening-sockets.js';
import { familyOf, holdsSocket, titleOf } from './processes.js';
import { until } from './until.js';

const FIRST_FD = 3;

/** It does something else, and ends. */
const LEAVES = new Set(['-h', '-?', '-v', '-V', '-t', '-T', '-s']);

/**
 * nginx with inherited sockets: the variable by which its own binary upgrade passes them, `NGINX="3;4;"`, from an agent instead of an
 * old master. Every `listen` that has the address of a `--listen` takes that socket.
 *
 * Ready: with `--ready unix:PATH` an answer on a listener that only this agent knows (`listen unix:PATH` in the configuration);
 * else worker processes that have initialised. Leaves on SIGQUIT. Before version 1.27.4 that closes idle keep-alive connections
 * at once, and a request that is on its way to one of them is lost; from 1.27.4 on `keepalive_min_timeout` prevents it.
 */
export const nginx: Adapter = {
  name: 'nginx',
  sharing: 'shared',
  summary: 'nginx takes its sockets as in a binary upgrade; each `listen` needs a --listen with the same address',
  readySigns: ['workers', 'unix:/PATH'],
  leavesOn: 'SIGQUIT',
  check: ({ command: [, ...options], listeners, readySign: sign }) => {
    readySign(sign);
    const leaves = options.find((option) => LEAVES.has(option));
    if (leaves) throw new TypeError(`nginx ${leaves} does not serve; leave it out`);
    checkListeners('nginx', listeners);
  },
  async start(tools: StartTools): Promise<RunningProgram> {
    const { listeners } = tools;
    const sign = readySign(tools.readySign);
    const ready = sign === undefined ? undefined : openReadyListener(sign);
    const fds = [...listeners.map(({ fd }) => fd), ...(ready ? [ready.fd] : [])];
    const child = spawnWith(tools, fds);
    if (ready) addon().close(ready.fd);
    const close = (): void => rmSync(sign ?? tools.path('none'), { force: true });
    try {
      if (ready) await answered(ready.path, tools.gone);
      else await workersInitialised(child, tools.gone);
      refuseUntaken(child, listeners);
    } catch (error) {
      close();
      throw error;
    }
    return { child, retire: () => void child.kill('SIGQUIT'), close };
  },
};

function spawnWith(tools: StartTools, fds: number[]): ChildProcess {
  return tools.spawn(tools.command, {
    env: { NGINX: fds.map((_, index) => `${FIRST_FD + index};`).join('') },
    stdio: ['inherit', 'inherit', 'inherit', ...fds],
  });
}

function readySign(sign: string | undefined): string | undefined {
  if (sign === undefined || sign === 'workers') return undefined;
  if (sign.startsWith('unix:/')) return sign.slice('unix:'.length);
  throw new TypeError(`--ready is "${sign}"; nginx allows "workers" (default) and "unix:/PATH"`);
}

/**
 * Bound here and under its final name: nginx compares the name that the kernel reports. Being inherited it is also not unlinked by
 * an older run that ends later, and nobody can connect to it before this run's workers accept on it.
 */
function openReadyListener(path: string): { fd: number; path: string } {
  rmSync(path, { force: true });
  const fd = orThrow('socket', addon().socket(AF_UNIX, SOCK_STREAM));
  orThrow('bind', addon().bindUnix(fd, path), path);
  orThrow('listen', addon().listen(fd, 16));
  return { fd, path };
}

/** One request that waits in the listener's queue until a worker takes it; nginx closes a listener that it has no `listen` for. */
function answered(path: string, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const finish = (problem?: string): void => {
      gone.removeEventListener('abort', onGone);
      socket.destroy();
      if (problem === undefined) resolve();
      else reject(new Error(problem));
    };
    const onGone = (): void => finish(`no answer on ${path}`);
    // The kernel closes it, too, when nginx ends.
    const refused = (): void =>
      finish(`nginx closed ${path} unanswered; its configuration needs a server with "listen unix:${path};"`);
    gone.addEventListener('abort', onGone, { once: true });
    socket.once('connect', () => socket.write('GET / HTTP/1.0\r\nHost: sidestep\r\n\r\n'));
    socket.once('data', () => finish());
    socket.once('error', refused);
    socket.once('close', refused);
  });
}

/** A worker takes this title when it has initialised: it accepts from then on. The master's answer would say less. */
async function workersInitialised(child: ChildProcess, gone: AbortSignal): Promise<void> {
  const serves = (): boolean => familyOf(child.pid!).some((pid) => titleOf(pid).includes('worker process'));
  await until(serves, gone, 'no worker process');
}

/** A listener that nginx has no `listen` for is closed by it: whoever connects would wait for ever in the agent's duplicate. */
function refuseUntaken(child: ChildProcess, listeners: OwnedListener[]): void {
  const processes = familyOf(child.pid!);
  const untaken = listeners.filter(({ fd }) => !processes.some((pid) => holdsSocket(pid, fd)));
  if (untaken.length === 0) return;
  const named = untaken.map(({ record }) => `${record.name} (${record.host}:${record.port})`).join(', ');
  throw new Error(
    `nginx has no "listen" for ${named}; the addresses of --listen and of the configuration must be the same`,
  );
}
