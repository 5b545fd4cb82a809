import type { IncomingMessage } from 'node:http';
import type { BodyShare } from './body-bytes.js';

/** A request that cannot be taken; `status` is what its sender is told. */
export class RequestRefused extends Error {
  readonly status: number;

  constructor(status: 400 | 413 | 415 | 503, message: string) {
    super(message);
    this.name = 'RequestRefused';
    this.status = status;
  }
}

/** The sender left before its request was complete; there is nobody to answer. */
export class SenderGone extends Error {
  constructor() {
    super('the sender left in the middle of its request');
    this.name = 'SenderGone';
  }
}

/** Looks at what the sender says of its body before any of it is read. Throws `RequestRefused` for what is not JSON or too long. */
export function checkHeaders({ headers }: IncomingMessage, limit: number): void {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new RequestRefused(415, 'the content type must be application/json');
  if (headers['content-encoding'] && headers['content-encoding'] !== 'identity') {
    throw new RequestRefused(415, 'encoded bodies are not taken');
  }
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
}

/**
 * The whole body as text, of at most `limit` bytes. What came is counted rather than what was announced, so that who announces much
 * and sends little takes no room from others. Throws `RequestRefused` or `SenderGone`.
 */
export function readBody(request: IncomingMessage, limit: number, share: BodyShare): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limit && share.take(chunk.length)) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      request.off('data', onData);
      reject(length > limit ? tooLarge(limit) : new RequestRefused(503, 'too many bytes at once'));
    };
    request.on('data', onData);
    request.once('end', () =>
      resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString('utf8')),
    );
    // Comes after the end of every request, too; making an error each time would cost more than reading the body.
    request.once('close', () => request.complete || reject(new SenderGone()));
    request.once('error', () => reject(new SenderGone()));
  });
}

const tooLarge = (limit: number) => new RequestRefused(413, `the body is larger than ${limit} bytes`);
