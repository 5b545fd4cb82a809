import { createSocket } from 'node:dgram';

export const UDP_CLIENTS = 4;

/** Clients that send one datagram and wait for its echo. */
export class UdpLoad {
  answered = 0;
  lost = 0;
  readonly #port: number;
  readonly #loops: Promise<void>[];
  #running = true;

  constructor(port: number) {
    this.#port = port;
    this.#loops = Array.from({ length: UDP_CLIENTS }, () => this.#loop());
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    const socket = createSocket('udp4');
    for (let i = 0; this.#running; i++) {
      const sent = String(i);
      const came = new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), 2_000);
        socket.once('message', () => {
          clearTimeout(timer);
          resolve(true);
        });
      });
      socket.send(sent, this.#port, '127.0.0.1');
      if (await came) this.answered += 1;
      else this.lost += 1;
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    socket.close();
  }
}
