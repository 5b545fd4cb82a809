import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Envoys } from '@sidestep/testkit';
import { type Fixture, freePort, Pod } from '../processes.js';
import { type EnvoyPlan, writeEnvoyConfig } from './envoy-config.js';
import { Upstream } from './upstream.js';

/** How a version is run beside its configuration. */
export interface EnvoyOptions {
  /** Options of Envoy. */
  args?: string[];
  /** Options of the agent. */
  options?: string[];
  env?: Record<string, string>;
  program?: string;
}

/** Whatever else the machine does meanwhile. */
export const PATIENCE_MS = 90_000;

export const isOwner = ({ role }: { role?: string }) => role === 'owner';

/** A pod whose sidecar is a real Envoy under the agent. */
export class EnvoyPod {
  readonly pod: Pod;
  readonly upstream: Upstream;
  readonly #envoys: Envoys;
  #started = 0;

  private constructor(envoys: Envoys, pod: Pod, upstream: Upstream) {
    this.#envoys = envoys;
    this.pod = pod;
    this.upstream = upstream;
  }

  static async create(envoys: Envoys): Promise<EnvoyPod> {
    return new EnvoyPod(envoys, await Pod.create(), await Upstream.start());
  }

  get directory(): string {
    return this.pod.directory;
  }

  /** The two releases take turns. */
  start(plan: EnvoyPlan, { args = [], options = [], env = {}, program }: EnvoyOptions = {}): Fixture {
    const envoy = program ?? (this.#started++ % 2 === 0 ? this.#envoys.older : this.#envoys.newer);
    const config = writeEnvoyConfig(this.directory, { upstreamPort: this.upstream.port, ...plan });
    const command = [envoy, '-c', config, '-l', 'error', ...args];
    return this.pod.agent(['run', '--adapter', 'envoy', ...options, '--', ...command], {
      SIDESTEP_GUARD_SECONDS: '1',
      ...env,
    });
  }

  async serving(plan: EnvoyPlan, options: EnvoyOptions = {}): Promise<Fixture> {
    const fixture = this.start(plan, options);
    await fixture.heard(isOwner, PATIENCE_MS);
    return fixture;
  }

  async close(): Promise<void> {
    await this.pod.close();
    await this.upstream.close();
  }
}

export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort()));
}

/** A certificate of its own making. */
export function selfSigned(directory: string): { certificate: string; key: string } {
  const files = { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  const subject = ['-subj', '/CN=localhost', '-days', '1'];
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...kind, ...subject, '-keyout', files.key, '-out', files.certificate], { stdio: 'ignore' });
  return files;
}
