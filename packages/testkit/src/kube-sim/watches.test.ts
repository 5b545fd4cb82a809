import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startKubeSim } from './start.js';
import type { KubeSim } from './types.js';

interface Line {
  type: string;
  object: {
    kind: string;
    metadata: { name?: string; annotations?: Record<string, string> };
    rows?: unknown[];
    columnDefinitions?: unknown[];
  };
}

describe('watches of kube-sim beyond the contract', () => {
  let sim: KubeSim;

  beforeEach(async () => {
    sim = await startKubeSim({ bookmarkSeconds: 0.1 });
  });

  afterEach(() => sim.stop());

  const watch = async (query: string, accept = 'application/json'): Promise<Line[]> => {
    const answer = await fetch(`${sim.url}/api/v1/namespaces?watch=1&timeoutSeconds=1&${query}`, {
      headers: { accept },
    });
    const text = await answer.text();
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  };

  test('a client that lists by watching gets what exists, and a bookmark that says so', async () => {
    const lines = await watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true');
    expect(lines.slice(0, 4).map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      'ADDED default',
      'ADDED kube-node-lease',
      'ADDED kube-public',
      'ADDED kube-system',
    ]);
    expect(lines[4]).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
  });

  test('bookmarks come at their interval, only to those who asked', async () => {
    const [asked, silent] = await Promise.all([
      watch('resourceVersion=1000&allowWatchBookmarks=true'),
      watch('resourceVersion=1000'),
    ]);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.every(({ type }) => type === 'BOOKMARK')).toBe(true);
    expect(silent).toEqual([]);
  });

  test('a watch as a table sends its columns once', async () => {
    const lines = await watch('fieldSelector=metadata.name!=default', 'application/json;as=Table;v=v1;g=meta.k8s.io');
    expect(
      lines.map(({ object }) => [object.kind, object.rows?.length, (object.columnDefinitions?.length ?? 0) > 0]),
    ).toEqual([
      ['Table', 1, true],
      ['Table', 1, false],
      ['Table', 1, false],
    ]);
  });
});
