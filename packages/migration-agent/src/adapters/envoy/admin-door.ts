import { connect, createServer, type Server } from 'node:net';
import { addon, orThrow } from '../../native/addon.js';
import type { OwnedListener } from '../../native/listener.js';

const MOST_CONNECTIONS = 64;

/** Leads from a port of the user's choice to Envoy's private admin: the port changes hands like any other listener. */
export class AdminDoor {
  readonly #server: Server;

  constructor(listener: OwnedListener, adminPath: string, onError: (error: Error) => void) {
    this.#server = createServer((client) => {
      const admin = connect(adminPath);
      client.on('error', () => admin.destroy());
      admin.on('error', () => client.destroy());
      client.pipe(admin).pipe(client);
    });
    // A port for the admin is a convenience: the proxy serves without it.
    this.#server.on('error', onError);
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.listen({ fd: orThrow('dup', addon().dup(listener.fd)) }, listener.record.backlog);
  }

  close(): void {
    this.#server.close();
  }
}
