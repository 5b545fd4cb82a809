import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Envoys, freePort } from '@sidestep/testkit';
import type { Fixture } from '../processes.js';
import { type Stage, serving } from '../stage.js';
import { type EnvoyPlan, writeEnvoyConfig } from './envoy-config.js';

/** How a version is run beside its configuration. */
export interface EnvoyOptions {
  /** Options of Envoy. */
  args?: string[];
  /** Options of the agent. */
  options?: string[];
  env?: Record<string, string>;
  program?: string;
}

/** Runs real Envoys under the agent in the pod of a stage. */
export class EnvoyPod {
  readonly #envoys: Envoys;
  readonly #stage: Stage;
  #started = 0;

  constructor(envoys: Envoys, stage: Stage) {
    this.#envoys = envoys;
    this.#stage = stage;
  }

  /** The two releases take turns. */
  start(plan: EnvoyPlan, { args = [], options = [], env = {}, program }: EnvoyOptions = {}): Fixture {
    const envoy = program ?? (this.#started++ % 2 === 0 ? this.#envoys.older : this.#envoys.newer);
    const { pod, upstream } = this.#stage;
    const config = writeEnvoyConfig(pod.directory, { upstreamPort: upstream.port, ...plan });
    const command = [envoy, '-c', config, '-l', 'error', ...args];
    return pod.agent(['run', '--adapter', 'envoy', ...options, '--', ...command], {
      SIDESTEP_GUARD_SECONDS: '1',
      ...env,
    });
  }

  serving(plan: EnvoyPlan, options: EnvoyOptions = {}): Promise<Fixture> {
    return serving(this.start(plan, options));
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
