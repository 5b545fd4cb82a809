import net from 'node:net';
import { KubeletError } from './kubelet-error.js';

/** The part of 127.0.0.0/8 that kubelets choose their /16 from; low and high numbers are left to others. */
const FIRST = 64;
const LAST = 223;

/** The addresses of one kubelet's pods: a /16 of the loopback network, each address given out again only after all others. */
export class PodNetwork {
  readonly prefix: string;
  readonly #claim: net.Server | undefined;
  #next = 1;

  private constructor(prefix: string, claim: net.Server | undefined) {
    this.prefix = prefix;
    this.#claim = claim;
  }

  /**
   * Takes the named /16 (`127.77`), or one that no other kubelet of this machine holds. The claim is an abstract unix socket, so the
   * kernel gives it back however the holder ends. Throws `KubeletError` when none is free.
   */
  static async claim(wanted: string | undefined): Promise<PodNetwork> {
    if (wanted !== undefined) return new PodNetwork(checked(wanted), undefined);
    const count = LAST - FIRST + 1;
    for (let tries = 0; tries < count; tries++) {
      const prefix = `127.${FIRST + ((process.pid + tries) % count)}`;
      const claim = await listen(`\0sidestep-pod-network-${prefix}`);
      if (claim) return new PodNetwork(prefix, claim);
    }
    throw new KubeletError('NoPodNetwork', 'every loopback pod network is taken', 'Stop other kubelets, or name one.');
  }

  /** An address that no living pod has. */
  take(inUse: ReadonlySet<string>): string {
    for (;;) {
      const at = this.#next++ % 65_536;
      const ip = `${this.prefix}.${at >> 8}.${at & 255}`;
      if ((at & 255) !== 0 && (at & 255) !== 255 && !inUse.has(ip)) return ip;
    }
  }

  release(): void {
    this.#claim?.close();
  }
}

function checked(prefix: string): string {
  const [first, second, ...rest] = prefix.split('.').map(Number);
  if (
    first === 127 &&
    second !== undefined &&
    Number.isInteger(second) &&
    second >= 0 &&
    second <= 255 &&
    rest.length === 0
  ) {
    return prefix;
  }
  throw new KubeletError('BadPodNetwork', `pod network ${prefix} is not a /16 of 127.0.0.0/8`, 'Write it as 127.77.');
}

function listen(path: string): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', () => resolve(undefined));
    server.listen(path, () => resolve(server));
  });
}
