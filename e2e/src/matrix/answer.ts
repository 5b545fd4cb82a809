import http from 'node:http';

/** What a pod answers to one request on a connection of its own; status 0 when it does not. */
export const answerOf = (host: string, port: number): Promise<{ status: number; version: string }> =>
  new Promise((resolve) => {
    const nobody = { status: 0, version: '' };
    const request = http.get({ host, port, timeout: 30_000, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, version: String(response.headers['x-mesh-version'] ?? '') });
    });
    request.once('error', () => resolve(nobody));
    request.once('timeout', () => request.destroy());
  });
