import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { objectKey, parseKey, Store, type StoreChange } from './store.js';

interface Item {
  node?: string;
  sets: string[];
}

const newStore = (onListenerError?: (error: unknown) => void) =>
  new Store<Item>({
    indexes: { node: ({ node }) => (node ? [node] : []), set: ({ sets }) => sets },
    ...(onListenerError ? { onListenerError } : {}),
  });

describe('a store', () => {
  test('finds objects by key and by every value of an index', () => {
    const store = newStore();
    const [a, b] = [{ node: 'n1', sets: ['x', 'y'] }, { sets: ['y'] }];
    store.set('s/a', a);
    store.set('s/b', b);
    expect(store.get('s/a')).toBe(a);
    expect(store.by('set', 'y')).toEqual([a, b]);
    expect(store.by('node', 'n1')).toEqual([a]);
    expect(store.by('node', 'elsewhere')).toEqual([]);
    expect(store.countBy('set', 'y')).toBe(2);
  });

  test('files an object anew when its index values change', () => {
    const store = newStore();
    store.set('a', { node: 'n1', sets: [] });
    store.set('a', { node: 'n2', sets: [] });
    expect(store.countBy('node', 'n1')).toBe(0);
    expect(store.countBy('node', 'n2')).toBe(1);
  });

  test('refuses an index that was not declared, naming those that are', () => {
    expect(() => newStore().by('color', 'red')).toThrow('no index "color": declared are node, set');
  });

  test('tells subscribers what happened, with the object before an update, until they leave', () => {
    const store = newStore();
    const changes: StoreChange<Item>[] = [];
    const leave = store.subscribe((change) => changes.push(change));
    const [first, second] = [{ sets: [] }, { sets: ['x'] }];
    store.set('a', first);
    store.set('a', second);
    store.delete('a');
    store.delete('a');
    leave();
    store.set('a', first);
    expect(changes).toEqual([
      { type: 'added', key: 'a', object: first },
      { type: 'updated', key: 'a', object: second, previous: first },
      { type: 'deleted', key: 'a', object: second },
    ]);
  });

  test('reports a listener that throws, and goes on with the others', () => {
    const onListenerError = jest.fn();
    const store = newStore(onListenerError);
    const heard = jest.fn();
    store.subscribe(() => {
      throw new Error('bad listener');
    });
    store.subscribe(heard);
    store.set('a', { sets: [] });
    expect(heard).toHaveBeenCalledTimes(1);
    expect(onListenerError).toHaveBeenCalledWith(new Error('bad listener'));
  });

  test('has indexes that always agree with a search through everything', () => {
    const write = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      item: fc.option(fc.record({ sets: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')) })),
    });
    fc.assert(
      fc.property(fc.array(write), (writes) => {
        const store = newStore();
        for (const { key, item } of writes) {
          if (item) store.set(key, item);
          else store.delete(key);
        }
        for (const value of ['x', 'y', 'z']) {
          const found = store.by('set', value);
          expect(new Set(found)).toEqual(new Set([...store.values()].filter(({ sets }) => sets.includes(value))));
          expect(store.countBy('set', value)).toBe(found.length);
        }
      }),
    );
  });
});

test.each([
  [{ namespace: 'shop', name: 'a' }, 'shop/a'],
  [{ name: 'node-1' }, 'node-1'],
])('the key of %j is %s and can be read back', (ref, key) => {
  expect(objectKey(ref)).toBe(key);
  expect(parseKey(key)).toEqual(ref);
});
