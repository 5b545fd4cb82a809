import type { Server as HttpServer } from 'node:http';
import type { Http2Server } from 'node:http2';
import { Server, type Socket } from 'node:net';

/** What every HTTP/2 client sends first (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** One port for HTTP/1.1 and HTTP/2 with prior knowledge: looks at the first bytes and passes the connection on. */
export function prefaceFront(http1: HttpServer, h2c: Http2Server): Server {
  // Starts http1's own time-outs, which it does when it listens itself.
  http1.emit('listening');
  return new Server((socket) => sniff(socket, http1, h2c));
}

function sniff(socket: Socket, http1: HttpServer, h2c: Http2Server): void {
  let seen: Buffer = Buffer.alloc(0);
  const onError = (): void => void socket.destroy();
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const common = Math.min(seen.length, PREFACE.length);
    const isPreface = seen.subarray(0, common).equals(PREFACE.subarray(0, common));
    if (isPreface && common < PREFACE.length) return;
    socket.off('data', onData);
    socket.off('error', onError);
    socket.pause();
    socket.unshift(seen);
    (isPreface ? h2c : http1).emit('connection', socket);
    if (!isPreface) socket.resume();
  };
  socket.on('error', onError);
  socket.on('data', onData);
}
