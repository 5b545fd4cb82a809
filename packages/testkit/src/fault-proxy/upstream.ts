import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Credentials, KubeConnection } from '@sidestep/kube';

export interface Outgoing {
  method: string;
  path: string;
  headers: http.OutgoingHttpHeaders;
  body: string;
}

/** Connections to the API server behind the proxy, as the user of a kubeconfig. */
export class Upstream {
  private credentials: Credentials | undefined;
  private agent: http.Agent | undefined;

  constructor(private readonly connection: KubeConnection) {}

  async send({ method, path, headers, body }: Outgoing): Promise<IncomingMessage> {
    this.credentials ??= await this.connection.credentials();
    const { protocol } = new URL(this.connection.server);
    const module = protocol === 'http:' ? http : https;
    this.agent ??= new module.Agent({ keepAlive: true, ...(protocol === 'http:' ? {} : this.credentials.tls) });
    return new Promise((resolve, reject) => {
      const request = module.request(`${this.connection.server}${path}`, {
        method,
        agent: this.agent as http.Agent,
        headers: { ...headers, ...this.credentials?.headers },
      });
      request.once('response', resolve);
      request.once('error', reject);
      request.end(body);
    });
  }

  /** The newest resourceVersion of the server. */
  async currentVersion(): Promise<number> {
    const answer = await this.send({
      method: 'GET',
      path: '/api/v1/namespaces?limit=1',
      headers: { accept: 'application/json' },
      body: '',
    });
    const { metadata } = JSON.parse((await wholeOf(answer)).toString()) as { metadata: { resourceVersion: string } };
    return Number(metadata.resourceVersion);
  }

  close(): void {
    this.agent?.destroy();
  }
}

export async function wholeOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
