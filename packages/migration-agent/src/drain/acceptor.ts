import { Server, type Socket } from 'node:net';

/** Starts and stops the accepting of any server that is a net.Server underneath, and knows its open sockets. */
export class Acceptor {
  readonly #server: Server;
  readonly sockets = new Set<Socket>();

  constructor(server: Server, onClose: () => void) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => {
        this.sockets.delete(socket);
        onClose();
      });
    });
  }

  attach(fd: number, backlog: number): Promise<void> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        server.off('listening', settle);
        server.off('error', settle);
        if (error) reject(error);
        else resolve();
      };
      server.once('listening', settle);
      server.once('error', settle);
      // Only the positional backlog counts with {fd}; without it Node would set the shared backlog to 511 for every holder.
      (server.listen as (options: object, backlog: number) => Server).call(server, { fd, exclusive: true }, backlog);
    });
  }

  /** The close of net.Server itself: http's own would also destroy idle connections, with requests under way to them. */
  detach(): void {
    if (this.#server.listening) Server.prototype.close.call(this.#server);
  }
}
