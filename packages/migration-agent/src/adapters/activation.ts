import type { ChildProcess } from 'node:child_process';
import { NotifySocket } from '../supervise/notify-socket.js';
import type { Adapter, RunningProgram, StartTools } from './adapter.js';
import { firstLine, READ_OUTPUT } from './log-lines.js';

/**
 * Anything that takes systemd's socket activation: descriptors from 3 on, `LISTEN_FDS`, `LISTEN_FDNAMES`, `LISTEN_PID`.
 *
 * Ready: `READY=1` on `NOTIFY_SOCKET`, or with `--ready log:REGEX` the first line of its output that matches. Leaves on SIGTERM.
 */
export const activation: Adapter = {
  name: 'activation',
  sharing: 'shared',
  summary: 'CMD takes its sockets by LISTEN_FDS and says READY=1, or prints the line that --ready log:REGEX describes',
  readySigns: ['notify', 'log:REGEX'],
  check: ({ readySign }) => void lineSign(readySign),
  start: (tools) => {
    const line = lineSign(tools.readySign);
    return line ? startUntilLine(tools, line) : startUntilNotified(tools);
  },
};

function lineSign(sign: string | undefined): RegExp | undefined {
  if (sign === undefined || sign === 'notify') return undefined;
  if (sign.startsWith('log:') && sign.length > 'log:'.length) return expression(sign.slice('log:'.length));
  throw new TypeError(`--ready is "${sign}"; activation allows "notify" (default) and "log:REGEX"`);
}

function expression(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new TypeError(`--ready is "log:${source}": ${(error as Error).message}`);
  }
}

async function startUntilNotified(tools: StartTools): Promise<RunningProgram> {
  const notify = new NotifySocket(tools.path('notify.sock'));
  const child = spawn(tools, ['inherit', 'inherit', 'inherit'], { NOTIFY_SOCKET: notify.path });
  try {
    await notify.ready(tools.gone);
  } catch (error) {
    notify.close();
    throw error;
  }
  return { child, retire: () => void child.kill('SIGTERM'), close: () => notify.close() };
}

async function startUntilLine(tools: StartTools, line: RegExp): Promise<RunningProgram> {
  const child = spawn(tools, READ_OUTPUT, {});
  await firstLine(child, (text) => line.test(text), tools.gone, `no line that matches ${line} was printed`);
  return { child, retire: () => void child.kill('SIGTERM'), close: () => undefined };
}

function spawn(tools: StartTools, stdio: readonly ('inherit' | 'pipe')[], env: Record<string, string>): ChildProcess {
  return tools.spawn(tools.command, {
    env: {
      LISTEN_FDS: String(tools.listeners.length),
      LISTEN_FDNAMES: tools.listeners.map(({ record }) => record.name).join(':'),
      ...env,
    },
    stdio: [...stdio, ...tools.listeners.map(({ fd }) => fd)],
  });
}
