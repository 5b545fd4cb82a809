import { afterEach, beforeEach, expect } from '@jest/globals';
import { Http2Load } from './adapters/http2-load.js';
import { Load, type LoadOptions, type Seen } from './load.js';
import { type Fixture, Pod, type Told, until } from './processes.js';
import { Upstream } from './upstream.js';

/** Whatever else the machine does meanwhile. */
export const PATIENCE_MS = 90_000;

/** A deadline against hanging, for tests that hand real programs over. */
export const SLOW_TEST_MS = 300_000;

export const isOwner = ({ role }: Told): boolean => role === 'owner';

/** What each test of a sidecar has: a pod, its clients, and what the sidecar forwards to. All of it ends with the test. */
export class Stage {
  #pod: Pod | undefined;
  #upstream: Upstream | undefined;
  #loads: Load[] = [];
  #streams: Http2Load[] = [];

  get pod(): Pod {
    return present(this.#pod);
  }

  get upstream(): Upstream {
    return present(this.#upstream);
  }

  get loads(): readonly Load[] {
    return this.#loads;
  }

  /** The clients that were started last. */
  get load(): Load {
    return present(this.#loads.at(-1));
  }

  async open(): Promise<void> {
    this.#pod = await Pod.create();
    this.#upstream = await Upstream.start();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#loads, ...this.#streams].map((load) => load.stop()));
    this.#loads = [];
    this.#streams = [];
    await this.#pod?.close();
    await this.#upstream?.close();
  }

  /** Clients of the pod's port, or of another one; resolves when they are answered. */
  async clients(options: Partial<LoadOptions> = {}): Promise<Load> {
    const load = new Load({ port: this.pod.port, short: 4, pauseMs: 2, ...options });
    this.#loads.push(load);
    await load.answered(20, PATIENCE_MS);
    return load;
  }

  /** Clients that speak HTTP/2 to a URL; what they lost is not looked at by the others' count. */
  http2Clients(url: string): Http2Load {
    const streams = new Http2Load(url);
    this.#streams.push(streams);
    return streams;
  }

  /** Resolves when a version answers, whoever answered before. */
  async answeredBy(label: string, load: Load = this.load): Promise<void> {
    const count = (): number => load.seen.versions.get(label) ?? 0;
    const before = count();
    await until(() => count() > before + 20, `${label} answers`, PATIENCE_MS);
  }

  /** Ends all clients: every one of their requests was answered. */
  async nothingLost(): Promise<void> {
    for (const load of this.#loads) {
      const { refused, otherErrors } = await load.stop();
      expect({ refused, otherErrors }).toEqual({ refused: 0, otherErrors: [] });
    }
  }

  /** Ends all clients: what a dead process held is cut, but each was let in. */
  async nobodyRefused(): Promise<Seen[]> {
    const seen = await Promise.all(this.#loads.map((load) => load.stop()));
    expect(seen.map(({ refused }) => refused)).toEqual(seen.map(() => 0));
    return seen;
  }
}

/** A stage for each test of a file or block. */
export function useStage(): Stage {
  const stage = new Stage();
  beforeEach(() => stage.open());
  afterEach(() => stage.close());
  return stage;
}

/** Resolves with the process when it is the owner of its sockets. */
export async function serving(fixture: Fixture): Promise<Fixture> {
  await fixture.heard(isOwner, PATIENCE_MS);
  return fixture;
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('only while a test runs, and after what makes it');
  return value;
}
