import http from 'node:http';

/** What a server answered; rejects when it was cut off. */
export interface Answer<Body> {
  status: number;
  body: Body;
}

/** Asks on a connection of its own, for no other one outlives the server. */
export const ask = <Body>(url: string, method: string, where: string, sent?: object): Promise<Answer<Body>> =>
  new Promise((resolve, reject) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const options = { method, agent: false, headers: { 'content-type': type } };
    const request = http.request(`${url}${where}`, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('error', reject);
      answer.once('end', () => {
        if (answer.complete) resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as Body });
        else reject(new Error('the answer was cut off'));
      });
    });
    request.once('error', reject);
    request.end(sent && JSON.stringify(sent));
  });
