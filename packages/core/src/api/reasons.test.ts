import { expect, test } from '@jest/globals';
import { REASONS } from './reasons.js';

test.each(Object.entries(REASONS))(
  '%s is one word that conditions accept, with a sentence and a place',
  (reason, entry) => {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(entry.means).toMatch(/^\w.*\.$/s);
    expect(entry.shows.length).toBeGreaterThan(0);
  },
);
