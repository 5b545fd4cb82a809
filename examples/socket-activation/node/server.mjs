// A sidecar that takes its listening sockets by LISTEN_FDS, prints a line when it serves and leaves without losing a request.
// Node's own modules only.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

const FIRST_FD = 3;
// Node sets the length of the queue anew, for every process that has this socket. Left out, that would be 511.
const BACKLOG = 4_096;
// How long kept-alive connections may go on until their next answer tells them to close.
const CLOSE_WINDOW_MS = 2_000;

const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '', UPSTREAM, UPSTREAM_PATH, VERSION = '' } = process.env;
if (LISTEN_PID !== String(process.pid)) {
  console.error('LISTEN_PID names another process: start this program with sidestep-agent run');
  process.exit(1);
}

let draining = false;

function answer(request, response) {
  // Closing idle connections instead would cut requests that are on their way.
  if (draining) response.setHeader('Connection', 'close');
  if (UPSTREAM && request.url === UPSTREAM_PATH) forward(request, response);
  else request.resume().once('end', () => response.end(VERSION));
}

function forward(request, response) {
  const asked = http.request(UPSTREAM + request.url, { method: request.method }, (answered) => {
    response.writeHead(answered.statusCode);
    answered.pipe(response);
  });
  asked.once('error', () => response.destroy());
  request.pipe(asked);
}

const sockets = new Set();
const servers = Array.from({ length: Number(LISTEN_FDS) }, () => http.createServer(answer));
for (const server of servers) {
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
}

await Promise.all(
  servers.map((server, index) => {
    // The backlog counts only as an argument of its own, not among the options.
    server.listen({ fd: FIRST_FD + index }, BACKLOG);
    return once(server, 'listening');
  }),
);
// READY=1 needs a Unix datagram socket, which Node has not.
console.log('serving', LISTEN_FDNAMES);

// Without a server or a connection left, Node ends by itself.
process.once('SIGTERM', () => {
  draining = true;
  // That of http.Server would close idle connections at once.
  for (const server of servers) net.Server.prototype.close.call(server);
  setTimeout(closeQuiet, CLOSE_WINDOW_MS).unref();
});

function closeQuiet() {
  for (const server of servers) server.closeIdleConnections();
  // To Node a connection without a first request is not idle for a minute.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
}
