import { describe, expect, test } from '@jest/globals';
import { defaultSidecarSet } from '../defaults/sidecarset.js';
import type { SidecarContainer, SidecarSet, SidecarSetSpec } from '../sidecarset.js';
import { deletionWarnings, sidecarSetWarnings } from './warnings.js';

const DIGEST = `idle@sha256:${'0'.repeat(64)}`;

function aSet(spec: SidecarSetSpec, name = 'mesh-set'): SidecarSet {
  return defaultSidecarSet({
    apiVersion: 'apps.kruise.io/v1beta1',
    kind: 'SidecarSet',
    metadata: { name },
    spec: { selector: { matchLabels: { app: 'shop' } }, ...spec },
  });
}

const hot = (container: Partial<SidecarContainer>, empty = DIGEST): SidecarSetSpec => ({
  containers: [
    {
      name: 'mesh',
      image: 'mesh:1',
      upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: empty },
      ...container,
    },
  ],
});

const hooked = (command: string[], progressDeadlineSeconds: number): SidecarSetSpec => ({
  ...hot({ lifecycle: { postStart: { exec: { command } } } }),
  updateStrategy: { progressDeadlineSeconds },
});

describe('admission warnings', () => {
  test.each<[string, SidecarSetSpec]>([
    ['an ordinary cold sidecar', { containers: [{ name: 'mesh', image: 'mesh:1' }] }],
    ['a hot sidecar whose empty image has a digest', hot({})],
    ['a deadline beyond the hook', hooked(['sidestep-agent', 'hook'], 61)],
    ['a deadline beyond the time that the hook was given', hooked(['sidestep-agent', 'hook', '--timeout=10'], 11)],
    ['a hook that nobody here knows', hooked(['/bin/migrate.sh'], 1)],
    ['a hook whose time cannot be read', hooked(['sidestep-agent', 'hook', '--timeout', '$(SECONDS)'], 1)],
  ])('are not given for %s', (_, spec) => {
    expect(sidecarSetWarnings(aSet(spec), [])).toEqual([]);
  });

  test.each<[string, SidecarSetSpec, string]>([
    ['maxUnavailable 0', { updateStrategy: { maxUnavailable: 0 } }, 'no pod is ever upgraded'],
    ['maxUnavailable 0%', { updateStrategy: { maxUnavailable: '0%' } }, 'no pod is ever upgraded'],
    ['a strategy type that nobody knows', { updateStrategy: { type: 'Bogus' } }, 'works as RollingUpdate'],
    ['steps and a partition', { updateStrategy: { steps: [{ pods: 1 }], partition: 3 } }, 'holds back pods'],
    ['a hot sidecar without an empty image', hot({}, ''), 'without an empty image'],
    ['a hot sidecar whose empty image is null', hot({}, null as unknown as string), 'without an empty image'],
    ['a hot sidecar whose empty image has a tag only', hot({}, 'idle:1'), 'give a digest'],
    ['a deadline before the hook gives up', hooked(['/usr/bin/sidestep-agent', 'hook'], 60), 'may take 60 s'],
    ['one before its own time is over', hooked(['sidestep-agent', 'hook', '--timeout', '90'], 80), 'may take 90 s'],
    ['a hot sidecar with a command', hot({ command: ['envoy'] }), 'runs this command too'],
    ['a hot sidecar with a host port', hot({ ports: [{ containerPort: 80, hostPort: 80 }] }), 'hostPort'],
    ['a hot sidecar whose pair has too long names', hot({ name: 'm'.repeat(62) }), 'longer than a name may be'],
    [
      'an upgrade type that nobody knows',
      { containers: [{ name: 'mesh', image: 'mesh:1', upgradeStrategy: { upgradeType: 'Lukewarm' } }] },
      'works as ColdUpgrade',
    ],
    [
      'a hot init container',
      { initContainers: [{ name: 'prep', image: 'prep:1', upgradeStrategy: { upgradeType: 'HotUpgrade' } }] },
      'only init containers that keep running',
    ],
  ])('are given for %s', (_, spec, words) => {
    const warnings = sidecarSetWarnings(aSet(spec), []);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(words);
  });

  test('name the other set when its init container has the name of a sidecar', () => {
    const set = aSet({ containers: [{ name: 'mesh', image: 'mesh:1' }] });
    const other = aSet({ initContainers: [{ name: 'mesh', image: 'prep:1' }] }, 'other');
    expect(sidecarSetWarnings(set, [set, other])).toEqual([expect.stringContaining('SidecarSet other')]);
    const elsewhere = { ...other, spec: { ...other.spec, selector: { matchLabels: { app: 'bank' } } } };
    expect(sidecarSetWarnings(set, [elsewhere])).toEqual([]);
  });
});

describe('a deletion', () => {
  const upgrading = (upgradingPods?: unknown): SidecarSet => ({
    ...aSet({}),
    status: { matchedPods: 9, updatedPods: 3, readyPods: 9, upgradingPods } as SidecarSet['status'],
  });

  test.each([
    [1, '1 pod is half way'],
    [7, '7 pods are half way'],
  ])('in the middle of a rollout is warned of, with the %i pods that stay as they are', (count, words) => {
    expect(deletionWarnings(upgrading(count))).toEqual([expect.stringContaining(words)]);
  });

  test.each([[0], [-1], [1.5], [undefined], [null], ['many'], ['1e400'], ['3'], [true], [[2]], [{}]])(
    'with upgradingPods %j is none to warn of',
    (count) => {
      expect(deletionWarnings(upgrading(count))).toEqual([]);
    },
  );

  test('of a SidecarSet that has no status yet is none to warn of', () => {
    expect(deletionWarnings(aSet({}))).toEqual([]);
  });
});
