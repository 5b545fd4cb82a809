import { describe, expect, test } from '@jest/globals';
import { createLogger } from './logger.js';

const capture = () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { lines, log: createLogger({ name: 'webhook', level: 'info', destination }) };
};

describe('a log line', () => {
  test('is one JSON object with the level as a word, the time in ISO form, and the keys beside the message', () => {
    const { lines, log } = capture();
    log.info({ pod: 'a', phase: 'upgrade' }, 'phase done');
    expect(lines).toEqual([
      expect.objectContaining({ level: 'info', name: 'webhook', pod: 'a', phase: 'upgrade', msg: 'phase done' }),
    ]);
    expect(new Date(lines[0]?.time as string).toISOString()).toBe(lines[0]?.time);
  });

  test('below the level is not written', () => {
    const { lines, log } = capture();
    log.debug({}, 'detail');
    expect(lines).toEqual([]);
  });

  test('tells code, reason, hint and cause of an error', () => {
    const { lines, log } = capture();
    const error = Object.assign(new Error('no', { cause: new Error('why') }), {
      code: 'C',
      reason: 'R',
      hint: 'H',
      status: 409,
    });
    log.error({ error }, 'failed');
    expect(lines[0]?.error).toMatchObject({
      message: 'no',
      code: 'C',
      reason: 'R',
      hint: 'H',
      status: 409,
      cause: 'why',
    });
  });

  test('survives an error that is its own cause', () => {
    const { lines, log } = capture();
    const error = new Error('round');
    error.cause = error;
    log.error({ error }, 'failed');
    expect(lines[0]?.error).toMatchObject({ cause: 'round' });
  });

  test('never shows a token', () => {
    const { lines, log } = capture();
    log.info({ request: { headers: { authorization: 'Bearer s3cret' } }, token: 's3cret' }, 'called');
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });
});
