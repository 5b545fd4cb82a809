import type { Socket } from 'node:dgram';
import { AgentError } from '../errors.js';
import type { Served } from './served.js';

/**
 * A UDP socket. Old and new read from one queue, so no datagram is lost; after the commit only the new one reads.
 *
 * A dgram.Socket binds once: a function that makes one lets this process come back when its successor fails.
 */
export class ServedUdp implements Served {
  readonly #make: () => Socket;
  #socket: Socket | undefined;

  constructor(given: Socket | (() => Socket)) {
    let used = false;
    this.#make = () => {
      if (typeof given === 'function') return given();
      if (used) {
        throw new AgentError('UDP_BOUND_ONCE', 'a dgram.Socket cannot be bound a second time', {
          hint: 'Give serve() a function that makes the socket.',
        });
      }
      used = true;
      return given;
    };
  }

  attach(fd: number): Promise<void> {
    const socket = this.#make();
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ fd }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
  }

  detach(): void {
    this.#socket?.close();
    this.#socket = undefined;
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
