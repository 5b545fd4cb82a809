import { createServer, type ServerOptions } from 'node:http';
import { createConnection, type Socket } from 'node:net';

/** Every client of a test, to be ended with it. */
export const clients: Socket[] = [];

/** A client that speaks raw HTTP/1.1, so that a test decides about every byte. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  closed = false;

  constructor(port: number) {
    this.socket = createConnection(port, '127.0.0.1');
    clients.push(this.socket);
    this.socket.setEncoding('utf8').on('data', (text) => {
      this.received += text;
    });
    this.socket
      .on('error', () => undefined)
      .on('close', () => {
        this.closed = true;
      });
  }

  /** Sends a request and resolves with its whole answer. */
  ask(path = '/'): Promise<string> {
    const before = this.received.length;
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    return new Promise((resolve) => {
      const look = (): void => {
        const answer = this.received.slice(before);
        if (!answer.endsWith('END')) return;
        this.socket.off('data', look);
        resolve(answer);
      };
      this.socket.on('data', look);
    });
  }
}

export function serverSaying(version: string, slowMs = 300, options: ServerOptions = {}) {
  const server = createServer(options, (request, answer) => {
    request.resume();
    request.on('end', () =>
      setTimeout(() => answer.end(`${version} END`), request.url === '/slow' ? slowMs : 0).unref(),
    );
  });
  server.keepAliveTimeout = 60_000;
  return server;
}
