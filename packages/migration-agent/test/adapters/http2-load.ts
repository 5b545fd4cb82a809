import { connect as connectHttp2, constants } from 'node:http2';

/** POSTs over HTTP/2, one connection after another; a stream that was refused unprocessed is sent again, as clients do. */
export class Http2Load {
  answered = 0;
  readonly #answers = new Map<string, number>();
  readonly lost: string[] = [];
  readonly #url: string;
  readonly #loops: Promise<void>[];
  #running = true;

  constructor(url: string) {
    this.#url = url;
    this.#loops = [this.#loop(), this.#loop()];
  }

  answeredBy(label: string): number {
    return this.#answers.get(label) ?? 0;
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    while (this.#running) {
      const session = connectHttp2(this.#url, {
        rejectUnauthorized: false,
        lookup: (_host, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }] as never),
      });
      session.on('error', (error) => this.lost.push(`connection: ${error.message}`));
      const closed = new Promise((resolve) => session.once('close', resolve));
      let open = true;
      session.once('goaway', () => {
        open = false;
      });
      // A server that is killed destroys the session without a GOAWAY.
      while (this.#running && open && !session.closed && !session.destroyed) await this.#post(session);
      session.close();
      await closed;
    }
  }

  #count(label: string): void {
    this.answered += 1;
    this.#answers.set(label, this.answeredBy(label) + 1);
  }

  #post(session: ReturnType<typeof connectHttp2>): Promise<void> {
    return new Promise((resolve) => {
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      let body = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk) => {
        body += chunk;
      });
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM && !refusedByGoaway(error))
          this.lost.push(error.message);
      });
      stream.on('close', () => {
        if (body) this.#count(body);
        setTimeout(resolve, 2);
      });
      stream.end('x'.repeat(200));
    });
  }
}

/** Node names streams beyond the last one of a GOAWAY so: the server never looked at them. */
function refusedByGoaway({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ERR_HTTP2_GOAWAY_SESSION' || code === 'ERR_HTTP2_INVALID_SESSION';
}
