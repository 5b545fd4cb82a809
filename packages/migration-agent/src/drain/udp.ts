import type { Socket } from 'node:dgram';
import type { Served } from './served.js';

/**
 * A UDP socket. Old and new read from one queue, so no datagram is lost; after the commit only the new one reads. Once detached it
 * cannot come back: a dgram.Socket binds once, so the successor's failure is covered by TCP listeners only if the program opens a new
 * socket in its `resume` listener.
 */
export class ServedUdp implements Served {
  readonly #socket: Socket;
  #open = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  attach(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ fd }, () => {
        this.#socket.off('error', reject);
        this.#open = true;
        resolve();
      });
    });
  }

  detach(): void {
    if (this.#open) this.#socket.close();
    this.#open = false;
  }

  openConnections(): number {
    return 0;
  }

  adopt(): boolean {
    return false;
  }

  async drain(): Promise<{ migrated: number; drained: number; killed: number }> {
    return { migrated: 0, drained: 0, killed: 0 };
  }
}
