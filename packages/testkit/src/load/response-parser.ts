export interface ParsedResponse {
  status: number;
  headers: Map<string, string>;
  body: Buffer;
  /** The server ends the connection after this answer. */
  closes: boolean;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const MAX_HEAD = 64 * 1024;

const parseHead = (text: string): { status: number; headers: Map<string, string>; minor: string } => {
  const [first, ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.([01]) (\d{3})/.exec(first ?? '');
  if (!match) throw new Error(`not an HTTP/1 answer: ${JSON.stringify(first?.slice(0, 60))}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(match[2]), headers, minor: match[1]! };
};

/** Body of a chunked answer and the bytes it took, or undefined while it is not all there. */
const readChunks = (data: Buffer, from: number): { body: Buffer; end: number } | undefined => {
  const parts: Buffer[] = [];
  let at = from;
  for (;;) {
    const lineEnd = data.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(data.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('a chunk without a size');
    const next = lineEnd + 2 + size + 2;
    if (data.length < next) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), end: next };
    parts.push(data.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
};

/** Collects bytes of one HTTP/1.1 answer at a time. Throws on bytes that are none. */
export class ResponseParser {
  private data: Buffer = Buffer.alloc(0);

  /** True when part of an answer has come. */
  get begun(): boolean {
    return this.data.length > 0;
  }

  push(chunk: Buffer): ParsedResponse | undefined {
    this.data = this.data.length === 0 ? chunk : Buffer.concat([this.data, chunk]);
    const headEnd = this.data.indexOf(END_OF_HEAD);
    if (headEnd < 0) {
      if (this.data.length > MAX_HEAD) throw new Error('a head without an end');
      return undefined;
    }
    const { status, headers, minor } = parseHead(this.data.toString('latin1', 0, headEnd));
    const whole = this.readBody(headers, headEnd + END_OF_HEAD.length);
    if (!whole) return undefined;
    this.data = this.data.subarray(whole.end);
    const connection = headers.get('connection')?.toLowerCase();
    return {
      status,
      headers,
      body: whole.body,
      closes: connection === 'close' || (minor === '0' && connection !== 'keep-alive'),
    };
  }

  private readBody(headers: Map<string, string>, from: number): { body: Buffer; end: number } | undefined {
    if (headers.get('transfer-encoding') === 'chunked') return readChunks(this.data, from);
    const length = Number(headers.get('content-length') ?? 0);
    if (this.data.length < from + length) return undefined;
    return { body: this.data.subarray(from, from + length), end: from + length };
  }
}
