import { writeFile } from 'node:fs/promises';
import https from 'node:https';
import { loadKubeConfig } from '@sidestep/kube';
import type { Calls } from './calls.js';

const PROFILE_SECONDS = 10;
const REQUESTS = /^apiserver_request_total\{(.*)\} (\S+)$/;
const label = (labels: string, name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';

/** What a real API server tells of itself to its administrator. Looking costs it some 100 ms of CPU, so do it before and after. */
export class ApiServerView {
  constructor(private readonly kubeconfig: string) {}

  /** Requests answered since its start, whoever made them, by `VERB resource`, those that were refused by `VERB resource status`. */
  async requests(): Promise<Calls> {
    const calls: Calls = new Map();
    for (const line of (await this.read('/metrics')).toString('utf8').split('\n')) {
      const [, labels, count] = REQUESTS.exec(line) ?? [];
      if (labels === undefined || label(labels, 'resource') === '') continue;
      const [verb, resource, subresource, code] = ['verb', 'resource', 'subresource', 'code'].map((name) =>
        label(labels, name),
      );
      const what = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
      const key = code?.startsWith('2') ? what : `${what} ${code}`;
      calls.set(key, (calls.get(key) ?? 0) + Number(count));
    }
    return calls;
  }

  /** Where its CPU goes in the next seconds, for `go tool pprof`. */
  async profile(file: string): Promise<void> {
    await writeFile(file, await this.read(`/debug/pprof/profile?seconds=${PROFILE_SECONDS}`));
  }

  private async read(path: string): Promise<Buffer> {
    const connection = loadKubeConfig({ kubeconfig: this.kubeconfig });
    const { tls, headers } = await connection.credentials();
    return new Promise((resolve, reject) => {
      const request = https.get(new URL(path, connection.server), { ...tls, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks));
          else reject(new Error(`GET ${path}: ${response.statusCode}`));
        });
      });
      request.once('error', reject);
    });
  }
}
