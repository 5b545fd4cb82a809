import { describe, expect, test } from '@jest/globals';
import type { Pod } from '../api/kubernetes.js';
import { compareOrder, orderKey } from './pod-order.js';

describe('the order', () => {
  const pod = (changes: {
    node?: string;
    phase?: string;
    ready?: string | null;
    restarts?: number;
    created?: string;
    labels?: Record<string, string>;
  }): Pod => ({
    metadata: { name: 'p', creationTimestamp: changes.created ?? '2026-03-01T10:00:00Z', labels: changes.labels ?? {} },
    spec: { containers: [], nodeName: changes.node ?? 'n' },
    status: {
      phase: changes.phase ?? 'Running',
      conditions:
        changes.ready === null
          ? []
          : [{ type: 'Ready', status: 'True', lastTransitionTime: changes.ready ?? '2026-03-01T10:00:00Z' }],
      containerStatuses: [{ name: 'a', restartCount: changes.restarts ?? 0 }],
    },
  });
  test.each([
    ['unscheduled before scheduled', pod({ node: '' }), pod({})],
    ['Pending before Unknown', pod({ phase: 'Pending' }), pod({ phase: 'Unknown' })],
    ['Unknown before Running', pod({ phase: 'Unknown' }), pod({})],
    ['not ready before ready', pod({ ready: null }), pod({})],
    ['ready for less time before ready for longer', pod({ ready: '2026-03-01T11:00:00Z' }), pod({})],
    ['ready since an unknown time before any', pod({ ready: '' }), pod({ ready: '2026-03-01T11:00:00Z' })],
    ['more restarts before fewer', pod({ restarts: 3 }), pod({ restarts: 1 })],
    ['newer before older', pod({ created: '2026-03-01T11:00:00Z' }), pod({})],
  ])('%s', (_, first, second) => {
    expect(compareOrder(orderKey(first, {}), orderKey(second, {}))).toBeLessThan(0);
    expect(compareOrder(orderKey(second, {}), orderKey(first, {}))).toBeGreaterThan(0);
  });

  const byOrder = (labels: Record<string, string>[]) => {
    const strategy = { priorityStrategy: { orderPriority: [{ orderedKey: 'a' }, { orderedKey: 'b' }] } };
    return labels
      .map((each) => ({ each, key: orderKey(pod({ labels: each }), strategy) }))
      .sort((x, y) => compareOrder(x.key, y.key))
      .map(({ each }) => Object.entries(each).join());
  };
  test('by the number that a label ends in: no key first, then the first key, higher numbers first', () => {
    const labels = [{ b: '9' }, { a: 'n-2' }, {}, { a: 'x' }, { a: 'n-10' }, { a: '99999999999999999999' }];
    expect(byOrder(labels)).toEqual(['', 'a,n-10', 'a,n-2', 'a,x', 'a,99999999999999999999', 'b,9']);
  });
});
