import { describe, expect, test } from '@jest/globals';
import type { KubeObject, ListOptions } from '@sidestep/kube';
import { CONFIG_MAPS, configMap, PODS, refusal, type Subject } from './subject.js';

const names = (items: readonly KubeObject[]): string[] => items.map((item) => item.metadata.name ?? '');

export const listContract = (subject: Subject): void => {
  const seed = async (count: number): Promise<string> => {
    const namespace = await subject.newNamespace();
    for (let index = 0; index < count; index += 1) {
      const labels = { parity: index % 2 ? 'odd' : 'even', ...(index === 0 ? { first: 'yes' } : {}) };
      await subject.api.create(CONFIG_MAPS, {
        ...configMap(namespace, `cm-${index}`),
        metadata: { name: `cm-${index}`, namespace, labels },
      });
    }
    return namespace;
  };

  describe('lists', () => {
    test('pages bring every object once, in order, all of one moment', async () => {
      const namespace = await seed(7);
      const seen: string[] = [];
      const versions = new Set<string | undefined>();
      let token: string | undefined;
      let pages = 0;
      do {
        const options: ListOptions = { namespace, limit: 3, ...(token ? { continue: token } : {}) };
        const page = await subject.api.list(CONFIG_MAPS, options);
        if (pages === 0) {
          expect(page.metadata.remainingItemCount).toBe(4);
          await subject.api.create(CONFIG_MAPS, configMap(namespace, 'cm-4-late'));
          await subject.api.delete(CONFIG_MAPS, { namespace, name: 'cm-5' });
        }
        seen.push(...names(page.items));
        versions.add(page.metadata.resourceVersion);
        token = page.metadata.continue;
        pages += 1;
      } while (token);
      expect(seen).toEqual(['cm-0', 'cm-1', 'cm-2', 'cm-3', 'cm-4', 'cm-5', 'cm-6']);
      expect(versions.size).toBe(1);
      expect(pages).toBe(3);
    });

    test.each([
      ['parity=odd', ['cm-1', 'cm-3']],
      ['parity!=odd', ['cm-0', 'cm-2']],
      ['parity in (odd,even),first', ['cm-0']],
      ['parity notin (odd)', ['cm-0', 'cm-2']],
      ['!first,parity', ['cm-1', 'cm-2', 'cm-3']],
    ])('label selector %s', async (labelSelector, expected) => {
      const namespace = await seed(4);
      const { items } = await subject.api.list(CONFIG_MAPS, { namespace, labelSelector });
      expect(names(items)).toEqual(expected);
    });

    test('pods are found by their node, over all namespaces', async () => {
      const [here, there] = [await subject.newNamespace(), await subject.newNamespace()];
      const nodeName = `node-of-${here}`;
      const pod = (namespace: string, name: string, spec: object): KubeObject => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace },
        spec: { containers: [{ name: 'a', image: 'a:1' }], ...spec },
      });
      await subject.api.create(PODS, pod(here, 'p1', { nodeName }));
      await subject.api.create(PODS, pod(here, 'p2', {}));
      await subject.api.create(PODS, pod(there, 'p3', { nodeName }));
      const { items } = await subject.api.list(PODS, { fieldSelector: `spec.nodeName=${nodeName}` });
      expect(names(items).sort()).toEqual(['p1', 'p3']);
    });

    test('one object is found by its name; an unknown field is refused', async () => {
      const namespace = await seed(2);
      const { items } = await subject.api.list(CONFIG_MAPS, { namespace, fieldSelector: 'metadata.name=cm-1' });
      expect(names(items)).toEqual(['cm-1']);
      const refused = await refusal(subject.api.list(CONFIG_MAPS, { namespace, fieldSelector: 'data.a=b' }));
      expect(refused).toMatchObject({ status: 400, reason: 'BadRequest' });
    });

    test('a list knows its own version, and a resource of nothing lists nothing', async () => {
      const namespace = await subject.newNamespace();
      const list = await subject.api.list(PODS, { namespace });
      expect(list.items).toEqual([]);
      expect(Number(list.metadata.resourceVersion)).toBeGreaterThan(0);
    });

    test('a broken continue token is refused', async () => {
      const namespace = await seed(1);
      const refused = await refusal(subject.api.list(CONFIG_MAPS, { namespace, limit: 1, continue: 'nonsense' }));
      expect(refused.status).toBe(400);
    });
  });
};
