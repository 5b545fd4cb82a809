import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { createLogger } from './logger.js';
import { onStopSignals } from './stop-signals.js';

const log = createLogger({ name: 'test', level: 'silent' });

/** Stands for `process`: resolves with the status of the first exit. */
class FakeProcess extends EventEmitter {
  readonly codes: number[] = [];
  readonly left = new Promise<number>((resolve) => this.once('left', resolve));
  exit(code: number): void {
    this.codes.push(code);
    this.emit('left', code);
  }
}

describe('a process that is told to stop', () => {
  test.each(['SIGTERM', 'SIGINT'])('at %s stops in order and leaves with status 0', async (signal) => {
    const process = new FakeProcess();
    let stopped = false;
    onStopSignals({
      process,
      log,
      stop: async () => {
        stopped = true;
      },
    });
    process.emit(signal);
    expect(await process.left).toBe(0);
    expect(stopped).toBe(true);
  });

  test('leaves with status 1 when stopping fails', async () => {
    const process = new FakeProcess();
    onStopSignals({ process, log, stop: () => Promise.reject(new Error('no')) });
    process.emit('SIGTERM');
    expect(await process.left).toBe(1);
  });

  test('leaves with status 1 when stopping takes too long', async () => {
    const process = new FakeProcess();
    onStopSignals({ process, log, stop: () => new Promise(() => undefined), timeoutMs: 1 });
    process.emit('SIGTERM');
    expect(await process.left).toBe(1);
  });

  test('leaves at once at a second signal, and stops only once', async () => {
    const process = new FakeProcess();
    let stops = 0;
    let finish: () => void = () => undefined;
    onStopSignals({
      process,
      log,
      stop: () => {
        stops += 1;
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    });
    process.emit('SIGTERM');
    process.emit('SIGINT');
    expect(await process.left).toBe(130);
    expect(stops).toBe(1);
    finish();
  });
});
