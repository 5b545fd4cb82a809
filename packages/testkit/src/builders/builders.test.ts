import { describe, expect, test } from '@jest/globals';
import { aNode } from './a-node.js';
import { aPod } from './a-pod.js';
import { aSidecarSet } from './a-sidecar-set.js';

describe('builders', () => {
  test('each step gives a new builder and leaves the one before as it was', () => {
    const plain = aPod('p');
    const more = plain.labelled({ app: 'shop' }).labelled({ version: 'v1' }).onNode('n1');
    expect(plain.build().metadata.labels).toBeUndefined();
    expect(more.build()).toMatchObject({
      metadata: { name: 'p', labels: { app: 'shop', version: 'v1' } },
      spec: { nodeName: 'n1' },
    });
  });

  test('what is built belongs to the caller', () => {
    const builder = aPod();
    builder.build().spec.containers.pop();
    expect(builder.build().spec.containers).toHaveLength(1);
  });

  test('a running pod reports every container, and is ready when all of them are', () => {
    const pod = aPod().withContainer({ name: 'mesh', image: 'mesh:1' });
    const ready = (built: ReturnType<typeof pod.build>): unknown =>
      built.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    expect(ready(pod.running().build())).toBe('True');
    const half = pod.running('mesh').build();
    expect(ready(half)).toBe('False');
    expect(half.status?.containerStatuses).toMatchObject([
      { name: 'app', ready: true },
      { name: 'mesh', ready: false },
    ]);
  });

  test('a hot sidecar says so, and its image can be changed by name', () => {
    const set = aSidecarSet('s')
      .withHotSidecar('mesh', 'mesh:1')
      .withSidecar('log', 'log:1')
      .withImage('mesh', 'mesh:2')
      .build();
    expect(set.spec.containers).toEqual([
      {
        name: 'mesh',
        image: 'mesh:2',
        upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'empty:1' },
      },
      { name: 'log', image: 'log:1' },
    ]);
  });

  test('a node is ready unless it is said not to be', () => {
    expect(aNode('n').status).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }] });
    expect(aNode('n', false).status).toMatchObject({ conditions: [{ type: 'Ready', status: 'False' }] });
  });
});
