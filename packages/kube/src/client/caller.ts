import type { IncomingMessage } from 'node:http';
import type { ResourceKind } from '../api.js';
import { type Clock, delay } from '../clock.js';
import { errorFromAnswer, KubeError } from '../error.js';
import { parseJson, printJson } from '../exact-json.js';
import type { RateLimiter } from './rate-limiter.js';
import { connectionError, type RawAnswer, type Transport } from './transport.js';

export type Verb = 'get' | 'list' | 'create' | 'replace' | 'patch' | 'delete' | 'watch';

/** One finished call, for metrics. `status` is 0 when no answer came. */
export interface CallReport {
  verb: Verb;
  /** Plural, and the subresource where one was called, e.g. `pods/status`. */
  resource: string;
  status: number;
  seconds: number;
}

export interface Call {
  verb: Verb;
  method: string;
  kind: ResourceKind;
  subresource?: string | undefined;
  path: string;
  body?: unknown;
  contentType?: string;
  accept?: string;
  sendBy?: Date | undefined;
}

export interface CallerOptions {
  transport: Transport;
  limiter: RateLimiter;
  clock: Clock;
  timeoutMs: number;
  maxDeferrals: number;
  onCall?: ((report: CallReport) => void) | undefined;
}

/** What an API server is given when it says 429 without a time. */
const DEFAULT_DEFERRAL_MS = 1_000;

/** Makes calls within the rate limit, again when the API server did not look at them, and reports each. */
export class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  withTimeout(timeoutMs: number): Caller {
    return new Caller({ ...this.#options, timeoutMs });
  }

  close(): void {
    this.#options.transport.close();
  }

  /** The parsed answer of a call. `share` names the queue in which it waits for the rate limit. */
  async json<T>(call: Call, share: string): Promise<T> {
    const answer = await this.answer(call, share);
    try {
      return parseJson(answer.body) as T;
    } catch (cause) {
      const message = `${call.method} ${call.path}: the answer is not JSON`;
      throw new KubeError({ status: 0, reason: 'MalformedAnswer', message, cause });
    }
  }

  /** Repeats after 429 (put off) and 401 (credentials may have been rotated): in both the call was not carried out. */
  async answer(call: Call, share: string): Promise<RawAnswer> {
    for (let deferrals = 0, refreshed = false; ; ) {
      const answer = await this.#once(call, share);
      if (answer.status >= 200 && answer.status < 300) return answer;
      const error = errorFromAnswer(answer.status, answer.body, answer.headers['retry-after']);
      if (answer.status === 401 && !refreshed) {
        refreshed = true;
        this.#options.transport.forgetCredentials();
      } else if (answer.status === 429 && deferrals < this.#options.maxDeferrals) {
        deferrals += 1;
        const ms = error.retryAfterMs ?? DEFAULT_DEFERRAL_MS;
        this.#options.limiter.pause(ms);
        await delay(this.#options.clock, ms);
      } else {
        throw error;
      }
    }
  }

  /** Opens a watch; the stream is at its first line. */
  async openWatch(kind: ResourceKind, path: string, share: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { transport, limiter, timeoutMs } = this.#options;
    const request = { method: 'GET', path };
    await limiter.acquire(share, signal);
    const report = this.#reporter('watch', kind.plural);
    try {
      const stream = await transport.stream({ ...request, timeoutMs, signal });
      const status = stream.statusCode ?? 0;
      if (status !== 200) throw await this.#refusedWatch(status, stream);
      report(status);
      return stream;
    } catch (error) {
      const failure = connectionError(request, error);
      report(failure.status);
      throw failure;
    }
  }

  async #refusedWatch(status: number, stream: IncomingMessage): Promise<KubeError> {
    if (status === 401) this.#options.transport.forgetCredentials();
    const body: Buffer[] = [];
    for await (const chunk of stream) body.push(chunk as Buffer);
    const error = errorFromAnswer(status, Buffer.concat(body).toString('utf8'), stream.headers['retry-after']);
    if (status === 429) this.#options.limiter.pause(error.retryAfterMs ?? DEFAULT_DEFERRAL_MS);
    return error;
  }

  async #once(call: Call, share: string): Promise<RawAnswer> {
    const { transport, limiter, timeoutMs } = this.#options;
    await limiter.acquire(share);
    if (call.sendBy !== undefined && this.#options.clock.now() > call.sendBy) throw tooLate(call);
    const { verb, kind, subresource } = call;
    const report = this.#reporter(verb, subresource ? `${kind.plural}/${subresource}` : kind.plural);
    try {
      const body = call.body === undefined ? undefined : printJson(call.body);
      const { method, path, contentType, accept } = call;
      const answer = await transport.call({ method, path, body, contentType, accept, timeoutMs });
      report(answer.status);
      return answer;
    } catch (error) {
      report(0);
      throw error;
    }
  }

  #reporter(verb: Verb, resource: string): (status: number) => void {
    const { clock, onCall } = this.#options;
    const startedAt = clock.now().getTime();
    return (status) => onCall?.({ verb, resource, status, seconds: (clock.now().getTime() - startedAt) / 1000 });
  }
}

const tooLate = ({ method, path }: Call): KubeError =>
  new KubeError({ status: 0, reason: 'TooLate', message: `${method} ${path}: it was not sent in time` });
