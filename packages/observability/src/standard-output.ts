import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { type DestinationStream, pino } from 'pino';

/** What may wait for a reader that has stopped reading, in bytes. */
const MOST_WAITING = 1_048_576;

/** Where lines go, as far as `LineSink` needs to know. */
export interface LineStream {
  readonly writableLength: number;
  write(line: string): unknown;
  on(event: 'error' | 'close', listener: () => void): unknown;
}

/**
 * Writes lines to a stream that may stall or go away. Whoever collects logs must never stop the program that writes them: lines
 * that find no room are dropped and counted, and a reader that is gone (EPIPE) ends the writing and nothing else.
 */
export class LineSink implements DestinationStream {
  private dropped = 0;
  private gone = false;

  constructor(private readonly stream: LineStream) {
    const end = (): void => {
      this.gone = true;
    };
    stream.on('error', end);
    stream.on('close', end);
  }

  write(line: string): void {
    if (this.gone) return;
    if (this.stream.writableLength > MOST_WAITING) {
      this.dropped += 1;
      return;
    }
    if (this.dropped > 0) this.tellDropped();
    this.stream.write(line);
  }

  private tellDropped(): void {
    const line = { level: 'warn', time: new Date().toISOString(), lines: this.dropped, msg: 'log lines were dropped' };
    this.dropped = 0;
    this.stream.write(`${JSON.stringify(line)}\n`);
  }
}

/** Standard output: never blocks where it is a pipe, whose reader may stop reading; a file or a terminal takes what it is given. */
export function standardOutput(): DestinationStream {
  opened ??= open();
  return opened;
}

/** One for all loggers of the process: two sockets on one file descriptor would get into each other's way. */
let opened: DestinationStream | undefined;

function open(): DestinationStream {
  const stat = fstatSync(1);
  if (!stat.isFIFO() && !stat.isSocket()) return pino.destination(1);
  const socket = new Socket({ fd: 1, readable: false, writable: true });
  socket.unref();
  return new LineSink(socket);
}
