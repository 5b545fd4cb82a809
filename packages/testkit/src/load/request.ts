import type { ConnectionKind } from './types.js';

/** One request from when it is due until it is answered or lost. Times are of `performance.now`. */
export interface LoadRequest {
  target: string;
  method: 'GET' | 'POST';
  connection: ConnectionKind;
  path: string;
  /** What a POST sends and must get back. */
  body: string;
  dueMs: number;
  /** The same on a clock that stands still with the machine. */
  runningSinceMs: number;
  sentMs?: number;
  /** When the connection that it goes on was begun. */
  openedMs?: number;
  /** On a connection that had answered before. */
  reused: boolean;
  /** HTTP/2 only: how often it was sent again. */
  retries: number;
}

/** The bytes of a request for HTTP/1.1; `close` asks the server to end the connection after the answer. */
export function http1Bytes(request: LoadRequest, close: boolean): string {
  const head = `${request.method} ${request.path} HTTP/1.1\r\nHost: ${request.target}\r\n${close ? 'Connection: close\r\n' : ''}`;
  if (request.method === 'GET') return `${head}\r\n`;
  return `${head}Content-Type: text/plain\r\nContent-Length: ${request.body.length}\r\n\r\n${request.body}`;
}

/** A body of that length that no other request has. */
export function uniqueBody(serial: number, bytes: number): string {
  return `request ${serial} `.padEnd(bytes, 'abcdefghijklmnopqrstuvwxyz0123456789');
}
