import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { LineSink } from './standard-output.js';

class Pipe extends EventEmitter {
  readonly lines: string[] = [];
  writableLength = 0;
  write(line: string): void {
    this.lines.push(line);
  }
}

describe('log lines', () => {
  test('are written as they come', () => {
    const pipe = new Pipe();
    new LineSink(pipe).write('a\n');
    expect(pipe.lines).toEqual(['a\n']);
  });

  test('are dropped while nobody reads, and that is told once somebody does', () => {
    const pipe = new Pipe();
    const sink = new LineSink(pipe);
    pipe.writableLength = 2_000_000;
    for (let line = 0; line < 3; line += 1) sink.write('a\n');
    expect(pipe.lines).toEqual([]);
    pipe.writableLength = 0;
    sink.write('b\n');
    expect(JSON.parse(pipe.lines[0] ?? '')).toMatchObject({ lines: 3, msg: 'log lines were dropped' });
    expect(pipe.lines.slice(1)).toEqual(['b\n']);
  });

  test('are not written any more once the reader is gone', () => {
    const pipe = new Pipe();
    const sink = new LineSink(pipe);
    pipe.emit('error', new Error('write EPIPE'));
    sink.write('a\n');
    expect(pipe.lines).toEqual([]);
  });
});
