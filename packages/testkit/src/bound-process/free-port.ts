import { createServer } from 'node:net';

/** A port of 127.0.0.1 that was free a moment ago; whoever binds it must be ready to find it taken. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
