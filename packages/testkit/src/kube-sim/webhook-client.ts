import https from 'node:https';
import { printJson, readJson } from './json.js';
import type { WebhookClientConfig } from './kinds.js';

/** Why a webhook gave no usable answer. */
export class WebhookFailure extends Error {
  constructor(
    message: string,
    readonly timedOut = false,
    /** The connection had answered before, and ended before it answered this. */
    readonly idleConnectionEnded = false,
  ) {
    super(message);
    this.name = 'WebhookFailure';
  }
}

const STOOD_STILL_MS = 1_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Posts reviews over TLS, verified by the configuration's own CA bundle, on kept-alive connections. */
export class WebhookClient {
  private readonly agents = new Map<string, https.Agent>();
  private readonly services = new Map<string, string>();

  constructor(services: Record<string, string>) {
    for (const [name, url] of Object.entries(services)) this.services.set(name, url);
  }

  setService(namespace: string, name: string, url: string): void {
    this.services.set(`${namespace}/${name}`, url);
  }

  async post(
    config: WebhookClientConfig,
    review: object,
    timeoutMs: number,
    query = '',
  ): Promise<Record<string, unknown>> {
    const { url, servername } = this.target(config, query);
    const agent = this.agentFor(url, config);
    const once = () => send(url, servername, agent, printJson(review), timeoutMs);
    // As Go's client does: the webhook may have closed a kept-alive connection at that very moment.
    const answer = await once().catch((error: unknown) => {
      if (error instanceof WebhookFailure && error.idleConnectionEnded) return once();
      throw error;
    });
    if (answer.status !== 200)
      throw new WebhookFailure(
        `the server responded with the status code ${answer.status} but did not return more information`,
      );
    try {
      return readJson(answer.text) as Record<string, unknown>;
    } catch {
      throw new WebhookFailure("couldn't get object from response: invalid JSON");
    }
  }

  close(): void {
    for (const agent of this.agents.values()) agent.destroy();
  }

  private target(config: WebhookClientConfig, query: string): { url: URL; servername: string } {
    if (config.url) {
      const url = new URL(config.url);
      if (query) url.search = query;
      return { url, servername: url.hostname };
    }
    const service = config.service;
    const base = service && this.services.get(`${service.namespace}/${service.name}`);
    if (!service || !base) throw new WebhookFailure(`service "${service?.name ?? ''}" not found`);
    const url = new URL(service.path ?? '/', base);
    if (query) url.search = query;
    return { url, servername: `${service.name}.${service.namespace}.svc` };
  }

  private agentFor(url: URL, config: WebhookClientConfig): https.Agent {
    const id = `${url.host} ${config.caBundle ?? ''}`;
    let agent = this.agents.get(id);
    if (!agent) {
      const ca = config.caBundle ? Buffer.from(config.caBundle, 'base64').toString() : undefined;
      agent = new https.Agent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) });
      this.agents.set(id, agent);
    }
    return agent;
  }
}

function send(
  url: URL,
  servername: string,
  agent: https.Agent,
  body: string,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const isAddress = /^[\d.]+$|:/.test(servername);
    const request = https.request(
      url,
      {
        agent,
        method: 'POST',
        ...(isAddress ? {} : { servername }),
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) request.destroy(new Error('answer too large'));
          else chunks.push(chunk);
        });
        response.once('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
        response.once('error', fail);
      },
    );
    let since = performance.now();
    const late = (): void => {
      // Late itself, this process did not run, and with the machine neither may the webhook have.
      if (performance.now() - since > timeoutMs + STOOD_STILL_MS) {
        since = performance.now();
        timer = setTimeout(late, timeoutMs);
        return;
      }
      reject(new WebhookFailure('context deadline exceeded', true));
      request.destroy();
    };
    let timer = setTimeout(late, timeoutMs);
    function fail(error: NodeJS.ErrnoException): void {
      clearTimeout(timer);
      const ended = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      reject(new WebhookFailure(error.message, false, ended && request.reusedSocket));
    }
    request.once('error', fail);
    request.end(body);
  });
}
