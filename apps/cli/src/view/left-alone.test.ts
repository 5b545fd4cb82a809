import { describe, expect, test } from '@jest/globals';
import pc from 'picocolors';
import { recordedSnapshot } from '../../test/snapshots.js';
import { renderTree } from '../render/tree.js';
import { sidecarSetView } from './sidecarset-view.js';
import { whySidecarSet } from './why-view.js';

const plain = pc.createColors(false);
const rolling = recordedSnapshot('rolling-out');

describe('pods that the rollout is not for', () => {
  /** Two pods are canaries, one lies in a namespace that is not selected. */
  function withSelectors(strategy: object) {
    const { sidecarSet, pods, ...rest } = structuredClone(rolling);
    const { updateStrategy } = sidecarSet.spec;
    const spec = {
      ...sidecarSet.spec,
      namespaceSelector: { matchLabels: { team: 'shop' } },
      updateStrategy: { ...updateStrategy, ...strategy },
    };
    const moved = pods.map((pod) => {
      const { name = '', labels } = pod.metadata;
      const namespace = name === 'shop-1' ? 'bank' : 'shop';
      return {
        ...pod,
        metadata: { ...pod.metadata, namespace, labels: { ...labels, canary: `${name !== 'shop-3'}` } },
      };
    });
    const namespaceLabels = (namespace: string) => ({ team: namespace });
    return { ...rest, sidecarSet: { ...sidecarSet, spec }, pods: moved, namespaceLabels };
  }

  const snapshot = withSelectors({ selector: { matchLabels: { canary: 'true' } } });

  test('are counted and named under the head of the tree, with which selector leaves them alone', () => {
    const [, , counts, ...rest] = renderTree(sidecarSetView(snapshot, snapshot.at), plain, 10).split('\n');
    expect(counts).toContain('only pods that its selector chooses');
    expect(rest.slice(0, 2)).toEqual([
      '  1 pod is left alone, NotSelected: in a namespace that namespaceSelector does not choose (any more) (bank/shop-1)',
      '  1 pod is left alone, PartitionReached: not chosen by updateStrategy.selector (shop/shop-3)',
    ]);
  });

  test('are told apart by which selector it is, also when it was edited after they were read', () => {
    const { sidecarSet } = snapshot;
    const selector = { matchLabels: { app: 'other' } };
    const edited = { ...snapshot, sidecarSet: { ...sidecarSet, spec: { ...sidecarSet.spec, selector } } };
    const { leftAlone } = sidecarSetView(edited, snapshot.at);
    expect(leftAlone.map(({ reason, message }) => [reason, message])).toEqual([
      ['NotSelected', 'with labels that the selector does not choose (any more)'],
    ]);
  });

  test('are groups of their own among those that why tells as not done', () => {
    const { blocked = [] } = whySidecarSet(snapshot, snapshot.at);
    expect(blocked.map(({ reason, count, examples }) => [reason, count, examples])).toEqual([
      ['ContainerStarting', 2, ['shop/shop-2', 'shop/shop-4']],
      ['NotSelected', 1, ['bank/shop-1']],
      ['PartitionReached', 1, ['shop/shop-3']],
    ]);
  });

  test('are none that the partition keeps', () => {
    const kept = withSelectors({ partition: 4 });
    expect(sidecarSetView(kept, kept.at).leftAlone.map(({ reason }) => reason)).toEqual(['NotSelected']);
    const { blocked = [] } = whySidecarSet(kept, kept.at);
    expect(blocked.find(({ reason }) => reason === 'PartitionReached')).toMatchObject({
      count: 1,
      examples: ['shop/shop-3'],
    });
  });

  test('are in the tree all the same while they are half way', () => {
    const half = withSelectors({});
    const moved = half.pods.map((pod) =>
      pod.metadata.name === 'shop-2' ? { ...pod, metadata: { ...pod.metadata, namespace: 'bank' } } : pod,
    );
    const view = sidecarSetView({ ...half, pods: moved }, half.at);
    expect(view.revisions.flatMap(({ pods }) => pods)).toContainEqual(
      expect.objectContaining({ namespace: 'bank', name: 'shop-2', state: 'Upgrading' }),
    );
    expect(view.leftAlone).toMatchObject([{ count: 1, examples: ['bank/shop-1'] }]);
  });
});
