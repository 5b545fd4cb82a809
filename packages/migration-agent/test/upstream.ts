import { createServer, type Server, type ServerResponse } from 'node:http';

/** What a proxy under test forwards to: holds every request until the test lets them go. */
export class Upstream {
  port = 0;
  readonly #server: Server;
  readonly #held: ServerResponse[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      request.resume();
      this.#held.push(response);
    });
  }

  static async start(): Promise<Upstream> {
    const upstream = new Upstream();
    await new Promise<void>((resolve) => upstream.#server.listen(0, '127.0.0.1', resolve));
    const address = upstream.#server.address();
    upstream.port = typeof address === 'object' && address ? address.port : 0;
    return upstream;
  }

  /** Requests that wait here. */
  get held(): number {
    return this.#held.length;
  }

  /** Answers everything that waits with the body `late`. */
  release(): void {
    for (const response of this.#held.splice(0)) response.end('late');
  }

  close(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
