import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const FIRST_PORT = 12_000;

/** The least port that the kernel may give to an outgoing connection. */
const firstEphemeralPort = (): number =>
  Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);

const canListen = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });

/**
 * A port on which nobody listens. Below those that the kernel gives to outgoing connections: one of them could take it before the
 * program under test does, or while that program is killed and started again.
 */
export const freePort = async (host = '127.0.0.1'): Promise<number> => {
  const end = Math.max(firstEphemeralPort(), FIRST_PORT + 10_000);
  for (;;) {
    const port = randomInt(FIRST_PORT, end);
    if (await canListen(port, host)) return port;
  }
};
