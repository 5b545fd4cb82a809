/**
 * The least that any webhook in Node must do: take a review over TLS, parse it, and send an answer of the same size. Figures of
 * the webhook mean something only beside this one's, measured on the same machine in the same minute. `node plain-server.js
 * CERT KEY ANSWER_BYTES` prints its port.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const [cert = '', key = '', bytes = '0'] = process.argv.slice(2);
const answer = JSON.stringify({ response: { allowed: true, patch: 'x'.repeat(Number(bytes)) } });

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', () => {
    JSON.parse(Buffer.concat(chunks).toString('utf8'));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(String((server.address() as AddressInfo).port)));
