import { describe, expect, test } from '@jest/globals';
import { findImage, parseCatalogue } from './image-catalogue.js';

const DIGEST = `sha256:${'5e'.repeat(32)}`;
const catalogue = {
  'probe:1': { command: ['probe'] },
  'probe:1-alias': { command: ['probe'], pullMs: 50 },
  'probe:2': { command: ['probe'], env: { V: '2' } },
  [`empty:1@${DIGEST}`]: { command: ['empty'] },
};

describe('an image of the catalogue', () => {
  test('of two names of one image, the status shows the first name and the same id for both', () => {
    const first = findImage(catalogue, 'probe:1')!;
    const alias = findImage(catalogue, 'probe:1-alias')!;
    expect(alias.imageID).toBe(first.imageID);
    expect(alias.statusImage).toBe('probe:1');
    expect(findImage(catalogue, 'probe:2')!.imageID).not.toBe(first.imageID);
  });

  test('with a digest is found under any tag, and under no other digest', () => {
    const found = findImage(catalogue, `empty:g7@${DIGEST}`)!;
    expect(found.entry.command).toEqual(['empty']);
    expect(found.imageID).toBe(`empty@${DIGEST}`);
    expect(findImage(catalogue, `empty@${DIGEST}`)?.id).toBe(found.id);
    expect(findImage(catalogue, `other:g7@${DIGEST}`)).toBeUndefined();
    expect(findImage(catalogue, `empty:1@sha256:${'00'.repeat(32)}`)).toBeUndefined();
  });

  test('that nobody put there is not found, whatever its name', () => {
    expect(findImage(catalogue, 'probe:3')).toBeUndefined();
    expect(findImage(catalogue, 'constructor')).toBeUndefined();
  });

  test('is refused when the file names no command', () => {
    expect(() => parseCatalogue('{"a:1":{"command":[]}}')).toThrow(/image a:1/);
    expect(() => parseCatalogue('{"a:1":null}')).toThrow(/image a:1/);
    expect(() => parseCatalogue('[]')).toThrow(/an image catalogue is an object/);
    expect(parseCatalogue('{"a:1":{"command":["x"]}}')).toEqual({ 'a:1': { command: ['x'] } });
  });
});
