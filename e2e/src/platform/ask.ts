import http from 'node:http';

/** What came of one request on a connection of its own. */
export interface Answer {
  /** 0 where there was none. */
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  /** Why there was none: the error's code, or `timeout`; empty where there was one. */
  failure: string;
}

const none = (failure: string): Answer => ({ status: 0, headers: {}, body: '', failure });

/** Asks once; never rejects. `timeoutMs` is how long the server may be silent. */
export const ask = (options: http.RequestOptions | string, timeoutMs: number): Promise<Answer> =>
  new Promise((resolve) => {
    const settings = { agent: false, timeout: timeoutMs };
    const take = (response: http.IncomingMessage): void => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('error', failed);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, failure: '' }),
      );
    };
    const failed = (error: NodeJS.ErrnoException): void => resolve(none(error.code ?? error.message));
    const request =
      typeof options === 'string' ? http.get(options, settings, take) : http.get({ ...options, ...settings }, take);
    request.once('error', failed);
    request.once('timeout', () => {
      resolve(none('timeout'));
      request.destroy();
    });
  });
