import { describe, expect, test } from '@jest/globals';
import { CONFIG_MAPS, configMap, eventually, type Subject, Watching } from './subject.js';

export const watchContract = (subject: Subject): void => {
  const setUp = async (): Promise<{ namespace: string; resourceVersion: string }> => {
    const namespace = await subject.newNamespace();
    const { metadata } = await subject.api.list(CONFIG_MAPS, { namespace });
    return { namespace, resourceVersion: metadata.resourceVersion ?? '' };
  };
  const label = (namespace: string, name: string, value: string | null): Promise<unknown> =>
    subject.api.patch(
      CONFIG_MAPS,
      { namespace, name },
      { metadata: { labels: { watched: value } } },
      { type: 'merge' },
    );

  describe('watches', () => {
    test('from the version of a list, every change after it comes once and in order', async () => {
      const { namespace, resourceVersion } = await setUp();
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'a'));
      const watching = new Watching(subject.api, CONFIG_MAPS, { namespace, resourceVersion });
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'b'));
      await label(namespace, 'a', 'yes');
      await subject.api.delete(CONFIG_MAPS, { namespace, name: 'b' });
      await watching.saw('DELETED b');
      expect(watching.seen()).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b']);
      const versions = watching.events.map(({ object }) => Number(object.metadata.resourceVersion));
      expect([...versions].sort((x, y) => x - y)).toEqual(versions);
      await watching.stop();
    });

    test('resuming from the last version seen brings only what came after', async () => {
      const { namespace, resourceVersion } = await setUp();
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'a'));
      const first = new Watching(subject.api, CONFIG_MAPS, { namespace, resourceVersion });
      await first.saw('ADDED a');
      await first.stop();
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'b'));
      const last = first.events.at(-1)?.object.metadata.resourceVersion ?? '';
      const second = new Watching(subject.api, CONFIG_MAPS, { namespace, resourceVersion: last });
      await second.saw('ADDED b');
      expect(second.seen()).toEqual(['ADDED b']);
      await second.stop();
    });

    test('an object that leaves the view of a selector is deleted from it, and added when it comes back', async () => {
      const { namespace, resourceVersion } = await setUp();
      const watching = new Watching(subject.api, CONFIG_MAPS, {
        namespace,
        resourceVersion,
        labelSelector: 'watched=yes',
      });
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'unseen'));
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'a'));
      await label(namespace, 'a', 'yes');
      await label(namespace, 'a', null);
      await watching.saw('ADDED a', 'DELETED a');
      await label(namespace, 'a', 'yes');
      await eventually('the second ADDED', () => (watching.seen().length === 3 ? true : undefined));
      expect(watching.seen()).toEqual(['ADDED a', 'DELETED a', 'ADDED a']);
      await watching.stop();
    });

    // Five seconds, and something to tell of all the time: a real server sends its bookmark about two seconds before the end,
    // and not to a watch that nothing happens to.
    test('a watch ends by itself at its time-out, after a bookmark that it can be resumed from', async () => {
      const { namespace, resourceVersion } = await setUp();
      const watching = new Watching(subject.api, CONFIG_MAPS, { namespace, resourceVersion, timeoutSeconds: 5 });
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'a'));
      let over = false;
      void watching.ended.then(() => {
        over = true;
      });
      for (let turn = 0; !over; turn += 1) {
        await label(namespace, 'a', `turn-${turn}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(await watching.ended).toBeUndefined();
      const bookmark = watching.events.findLast(({ type }) => type === 'BOOKMARK');
      const from = bookmark?.object.metadata.resourceVersion ?? '';
      expect(Number(from)).toBeGreaterThan(Number(resourceVersion));
      const resumed = new Watching(subject.api, CONFIG_MAPS, { namespace, resourceVersion: from });
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'after'));
      await resumed.saw('ADDED after');
      expect(resumed.events.every(({ object }) => Number(object.metadata.resourceVersion) > Number(from))).toBe(true);
      await resumed.stop();
    }, 120_000);

    test('events carry whole objects with their type', async () => {
      const { namespace, resourceVersion } = await setUp();
      const watching = new Watching(subject.api, CONFIG_MAPS, { namespace, resourceVersion });
      const created = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'whole', { k: 'ü ✓' }));
      await watching.saw('ADDED whole');
      expect(watching.events[0]?.object).toEqual(created);
      await watching.stop();
    });
  });
};
