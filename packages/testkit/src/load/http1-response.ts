/** One answer, as far as the load generator looks at it. */
export interface Http1Response {
  status: number;
  body: Buffer;
  /** The server will take no further request on this connection. */
  closes: boolean;
  version: string | undefined;
}

/** Thrown for bytes that are not an HTTP/1.1 response. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
}

interface Head {
  status: number;
  closes: boolean;
  version: string | undefined;
  length: number | 'chunked' | 'until-close';
  bodyAt: number;
}

const HEAD_LIMIT = 64 * 1024;

/** Reads the answers of one connection, one at a time. */
export class Http1ResponseReader {
  #bytes: Buffer = Buffer.alloc(0);
  #head: Head | undefined;

  /** True once the first byte of an answer came. */
  get hasBegun(): boolean {
    return this.#bytes.length > 0;
  }

  /** Takes bytes in; returns the answer when it is whole. Throws `MalformedResponse`. */
  take(chunk: Buffer): Http1Response | undefined {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    this.#head ??= readHead(this.#bytes);
    // 1xx answers come before the real one.
    while (this.#head && this.#head.status < 200) {
      this.#bytes = this.#bytes.subarray(this.#head.bodyAt);
      this.#head = readHead(this.#bytes);
    }
    if (!this.#head || this.#head.length === 'until-close') return undefined;
    const { length, bodyAt } = this.#head;
    const found = length === 'chunked' ? readChunks(this.#bytes, bodyAt) : readLength(this.#bytes, bodyAt, length);
    if (found && found.end !== this.#bytes.length) throw new MalformedResponse('bytes after the end of the answer');
    return found && this.#finish(found.body);
  }

  /** The connection ended: the answer, if its length was left to the end of the connection. */
  end(): Http1Response | undefined {
    return this.#head?.length === 'until-close' ? this.#finish(this.#bytes.subarray(this.#head.bodyAt)) : undefined;
  }

  #finish(body: Buffer): Http1Response {
    const { status, closes, version } = this.#head!;
    this.#head = undefined;
    this.#bytes = Buffer.alloc(0);
    return { status, closes, version, body };
  }
}

function readHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) {
    if (bytes.length > HEAD_LIMIT) throw new MalformedResponse('endless head');
    return undefined;
  }
  const head = bytes.toString('latin1', 0, end);
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status === undefined) throw new MalformedResponse(`not HTTP/1.x: ${head.slice(0, 40)}`);
  const closes = /\r\nconnection: *close/i.test(head);
  const contentLength = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
  const bodyless = status === '204' || status === '304' || status.startsWith('1');
  return {
    status: Number(status),
    closes,
    version: /\r\nx-mesh-version: *([^\r]*)/i.exec(head)?.[1],
    length: bodyless ? 0 : chunked ? 'chunked' : contentLength === undefined ? 'until-close' : Number(contentLength),
    bodyAt: end + 4,
  };
}

function readLength(bytes: Buffer, at: number, length: number): { body: Buffer; end: number } | undefined {
  const end = at + length;
  return bytes.length < end ? undefined : { body: bytes.subarray(at, end), end };
}

function readChunks(bytes: Buffer, from: number): { body: Buffer; end: number } | undefined {
  const parts: Buffer[] = [];
  let at = from;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new MalformedResponse('bad chunk size');
    const dataAt = lineEnd + 2;
    if (bytes.length < dataAt + size + 2) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), end: dataAt + 2 };
    parts.push(bytes.subarray(dataAt, dataAt + size));
    at = dataAt + size + 2;
  }
}
