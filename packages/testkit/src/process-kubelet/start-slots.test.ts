import { expect, jest, test } from '@jest/globals';
import { StartSlots } from './start-slots.js';

/** Starts that end when they are told to. */
class Starts {
  readonly begun: string[] = [];
  private readonly ends = new Map<string, (error?: Error) => void>();

  start(name: string): () => Promise<string> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve, reject) => {
        this.ends.set(name, (error) => (error ? reject(error) : resolve(name)));
      });
    };
  }

  end(name: string, error?: Error): void {
    this.ends.get(name)?.(error);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('so many start at once, the others in their order, also after one that failed', async () => {
  const [slots, starts] = [new StartSlots(2), new Starts()];
  const results = ['a', 'b', 'c', 'd'].map((name) => slots.during(starts.start(name)).catch(String));
  await turn();
  expect(starts.begun).toEqual(['a', 'b']);
  starts.end('b', new Error('broken'));
  await turn();
  expect(starts.begun).toEqual(['a', 'b', 'c']);
  for (const name of ['a', 'c', 'd']) {
    starts.end(name);
    await turn();
  }
  expect(await Promise.all(results)).toEqual(['a', 'Error: broken', 'c', 'd']);
});

test('one that hangs does not hold up the next, and gives its slot back only once', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  const [slots, starts] = [new StartSlots(1), new Starts()];
  for (const name of ['hangs', 'next', 'last']) void slots.during(starts.start(name));
  await turn();
  expect(starts.begun).toEqual(['hangs']);
  jest.advanceTimersByTime(2_000);
  await turn();
  expect(starts.begun).toEqual(['hangs', 'next']);
  starts.end('hangs');
  await turn();
  expect(starts.begun).toEqual(['hangs', 'next']);
  starts.end('next');
  await turn();
  expect(starts.begun).toEqual(['hangs', 'next', 'last']);
  jest.useRealTimers();
});
