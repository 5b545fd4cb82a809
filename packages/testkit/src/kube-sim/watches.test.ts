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

  /** The first lines of a watch that goes on. */
  const firstLines = async (count: number, query: string): Promise<Line[]> => {
    const answer = await fetch(`${sim.url}/api/v1/namespaces?watch=1&${query}`);
    const lines: Line[] = [];
    let rest = '';
    for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
      const texts = (rest + part).split('\n');
      rest = texts.pop() ?? '';
      lines.push(...texts.map((text) => JSON.parse(text) as Line));
      if (lines.length >= count) break;
    }
    return lines.slice(0, count);
  };

  test('bookmarks come at their interval, only to those who asked', async () => {
    const { metadata } = (await (await fetch(`${sim.url}/api/v1/namespaces`)).json()) as {
      metadata: { resourceVersion: string };
    };
    const from = `resourceVersion=${metadata.resourceVersion}`;
    const silent = firstLines(1, from);
    const asked = await firstLines(2, `${from}&allowWatchBookmarks=true`);
    expect(asked.map(({ type }) => type)).toEqual(['BOOKMARK', 'BOOKMARK']);
    const body = JSON.stringify({ metadata: { name: 'late' } });
    await fetch(`${sim.url}/api/v1/namespaces`, { method: 'POST', body });
    expect((await silent).map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['ADDED late']);
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
