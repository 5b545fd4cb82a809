import { NotifySocket } from '../supervise/notify-socket.js';
import type { Adapter, RunningProgram, StartTools } from './adapter.js';

/**
 * Anything that takes systemd's socket activation: descriptors from 3 on, `LISTEN_FDS`, `LISTEN_FDNAMES`, `LISTEN_PID`, and says
 * `READY=1` to `NOTIFY_SOCKET`. It leaves on SIGTERM.
 */
export const activation: Adapter = {
  name: 'activation',
  sharing: 'shared',
  summary: 'CMD takes its sockets by LISTEN_FDS and says READY=1',
  async start(tools: StartTools): Promise<RunningProgram> {
    const notify = new NotifySocket(tools.path('notify.sock'));
    const child = tools.spawn(tools.command, {
      env: {
        LISTEN_FDS: String(tools.listeners.length),
        LISTEN_FDNAMES: tools.listeners.map(({ record }) => record.name).join(':'),
        NOTIFY_SOCKET: notify.path,
      },
      stdio: ['inherit', 'inherit', 'inherit', ...tools.listeners.map(({ fd }) => fd)],
    });
    try {
      await notify.ready(tools.gone);
    } catch (error) {
      notify.close();
      throw error;
    }
    return { child, retire: () => void child.kill('SIGTERM'), close: () => notify.close() };
  },
};
