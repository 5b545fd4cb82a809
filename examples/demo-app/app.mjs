#!/usr/bin/env node
// The smallest app that a sidecar can stand in front of: says hello and echoes.
import { createServer } from 'node:http';

const { APP_LISTEN, POD_IP = '127.0.0.1', HOSTNAME = 'app' } = process.env;
const listen = APP_LISTEN ?? `${POD_IP}:9090`;
const colon = listen.lastIndexOf(':');
const hello = Buffer.from(`hello from ${HOSTNAME}\n`);

const server = createServer((request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': hello.length });
    response.end(hello);
    request.resume();
    return;
  }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length });
    response.end(body);
  });
});

// Proxies keep their upstream connections for long; the side that did not send the request must not be the first to close.
server.keepAliveTimeout = 3_600_000;
// And who keeps clients that dawdle away is the proxy: here a late head only means that this machine stood still.
server.headersTimeout = 0;
server.requestTimeout = 0;
server.listen(Number(listen.slice(colon + 1)), listen.slice(0, colon), () => {
  console.log(JSON.stringify({ event: 'listening', on: listen }));
});
server.on('error', (error) => {
  console.error(`demo-app: cannot listen on ${listen}: ${error.message}`);
  process.exitCode = 1;
});

process.once('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});
