import { connect, createServer, type Server } from 'node:net';
import { addon, orThrow } from '../../native/addon.js';
import type { OwnedListener } from '../../native/listener.js';

const MOST_CONNECTIONS = 64;

/** Leads from a port of the user's choice to Envoy's private admin: the port changes hands like any other listener. */
export class AdminDoor {
  readonly #server: Server;

  constructor(listener: OwnedListener, adminPath: string) {
    this.#server = createServer((client) => {
      const admin = connect(adminPath);
      client.on('error', () => admin.destroy());
      admin.on('error', () => client.destroy());
      client.pipe(admin).pipe(client);
    });
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.listen({ fd: orThrow('dup', addon().dup(listener.fd)) }, listener.record.backlog);
  }

  close(): void {
    this.#server.close();
  }
}
