import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { KRUISE, type Pod } from '@sidestep/core';
import { meshSet, runningPod } from '../../test/manifests.js';
import { runCli } from '../../test/run-cli.js';
import type { ChangeView } from '../view/change-view.js';

const pods = await Promise.all(['shop-1', 'shop-2', 'shop-3'].map((name) => runningPod(name)));
const files = {
  old: meshSet(),
  pods: JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: pods }),
};

async function diff(wanted: string, more: string[] = []): Promise<ChangeView & { code: number }> {
  const argv = ['diff', '-f', 'new', '-s', 'old', '--pods', 'pods', '-o', 'json', ...more];
  const { stdout, code } = await runCli(argv, { files: { ...files, new: wanted } });
  return { ...JSON.parse(stdout), code };
}

const changed = (from: string, to: string): string => meshSet((text) => text.replace(from, to));

describe('the shipped examples', () => {
  const folder = fileURLToPath(new URL('../../../../deploy/examples/', import.meta.url));

  test.each(['hot-sidecar.yaml', 'canary-steps.yaml'])('%s would be taken, without a warning', async (name) => {
    const { code, stdout } = await runCli(['diff', '-f', folder + name, '--offline', '-o', 'json']);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, verdict: 'New', errors: [], warnings: [] });
  });

  test('hello-pod.yaml gets the hot sidecar', async () => {
    const files = ['-f', `${folder}hello-pod.yaml`, '-s', `${folder}hot-sidecar.yaml`];
    const { code, stdout, stderr } = await runCli(['inject', ...files, '-o', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { containers } = (JSON.parse(stdout) as Pod).spec;
    expect(containers.map(({ name }) => name)).toEqual(['proxy-1', 'proxy-2', 'app']);
  });
});

describe('diff', () => {
  test('of an image tells that running pods are upgraded, the first ones and the others in order', async () => {
    const view = await diff(changed('mesh:v1', 'mesh:v2'));
    expect(view).toMatchObject({ code: 0, verdict: 'InPlace', errors: [] });
    expect(view.changes).toEqual([
      { field: 'spec.containers[mesh].image', before: 'mesh:v1', after: 'mesh:v2', effect: 'hotUpgrade' },
    ]);
    expect(view.before?.hashWithoutImage).toBe(view.after.hashWithoutImage);
    expect(view.before?.hash).not.toBe(view.after.hash);
    expect(view.rollout).toMatchObject({ matched: 3, notUpgradable: 0, reason: 'RollingOut' });
    expect(view.rollout?.first).toHaveLength(1);
    expect([...(view.rollout?.first ?? []), ...(view.rollout?.later ?? [])].sort()).toEqual([
      'default/shop-1',
      'default/shop-2',
      'default/shop-3',
    ]);
  });

  test('tells the hashes that injection writes', async () => {
    const view = await diff(changed('mesh:v1', 'mesh:v2'));
    const records = JSON.parse(pods[0]?.metadata.annotations?.[KRUISE.hash] ?? '') as { mesh: { hash: string } };
    expect(view.before?.hash).toBe(records.mesh.hash);
  });

  test.each<[string, string, string, string, string]>([
    ['an argument', 'image: mesh:v1', 'image: mesh:v2\n    args: [x]', 'Recreate', 'spec.containers[mesh].args'],
    ['the empty image', '000', '100', 'InPlace', 'spec.containers[mesh].upgradeStrategy.hotUpgradeEmptyImage'],
    ['a partition', 'maxUnavailable: 1', 'partition: 50%', 'NewPodsOnly', 'spec.updateStrategy.partition'],
    ['the selector', 'app: shop', 'app: shop, tier: web', 'NewPodsOnly', 'spec.selector.matchLabels.tier'],
    ['volumes', '  containers:', '  volumes: [{name: v, emptyDir: {}}]\n  containers:', 'NewPodsOnly', 'spec.volumes'],
  ])('of %s names the field', async (_, from, to, verdict, field) => {
    const view = await diff(changed(from, to));
    expect(view.verdict).toBe(verdict);
    expect(view.changes.map((change) => change.field)).toContain(field);
  });

  test('of the empty image reaches running pods, which OpenKruise cannot upgrade then', async () => {
    const view = await diff(changed('000', '100'));
    expect(view.rollout).toMatchObject({ first: [expect.any(String)], notUpgradable: 0 });
  });

  test('of more than images says how many pods would have to be made anew', async () => {
    const view = await diff(changed('image: mesh:v1', 'image: mesh:v2\n    args: [x]'));
    expect(view.changes.find(({ effect }) => effect === 'blocks')?.field).toBe('spec.containers[mesh].args');
    expect(view.rollout).toMatchObject({ matched: 3, first: [], later: [], notUpgradable: 3 });
  });

  test('keeps a canary step, a partition and a pause in what is begun at once', async () => {
    const strategy = (text: string): string => changed('maxUnavailable: 1', text).replace('mesh:v1', 'mesh:v2');
    const begun = async (text: string) => (await diff(strategy(text))).rollout?.first.length;
    expect(await begun('maxUnavailable: 100%')).toBe(3);
    expect(await begun('maxUnavailable: 100%\n    partition: 2')).toBe(1);
    expect(await begun('maxUnavailable: 100%\n    steps: [{pods: 2, pause: {}}]')).toBe(2);
    expect(await begun('maxUnavailable: 100%\n    paused: true')).toBe(0);
  });

  test('of what the API server refuses ends with 1 and says all that is wrong', async () => {
    const view = await diff(changed('maxUnavailable: 1', 'partition: -1\n    maxUnavailable: -2'));
    expect(view).toMatchObject({ code: 1, verdict: 'Refused' });
    expect(view.errors).toHaveLength(2);
  });

  test('refuses what an update may not do, which a new SidecarSet might', async () => {
    const wanted = changed('name: mesh\n    image', 'name: other\n    image');
    expect(await diff(wanted)).toMatchObject({ code: 1, verdict: 'Refused' });
    const offline = await runCli(['diff', '-f', 'new', '--offline', '-o', 'json'], { files: { new: wanted } });
    expect(JSON.parse(offline.stdout)).toMatchObject({ verdict: 'New', errors: [] });
  });

  test.each([
    ['its name', 'kubernetes.io/metadata.name: default', []],
    ['a label that the command line tells', 'team: a', ['--namespace-labels', 'team=a']],
  ])('counts the pods of a namespace that is selected by %s', async (_, label, more) => {
    const selecting = (text: string): string =>
      text.replace(/^spec:$/m, `spec:\n  namespaceSelector:\n    matchLabels:\n      ${label}`);
    const argv = ['diff', '-f', 'new', '-s', 'old', '--pods', 'pods', '-o', 'json', ...more];
    const wanted = selecting(meshSet((text) => text.replace('mesh:v1', 'mesh:v2')));
    const { stdout } = await runCli(argv, { files: { ...files, old: selecting(files.old), new: wanted } });
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'InPlace', rollout: { matched: 3 } });
  });

  test.each([
    [
      'asks for a label that nobody told',
      'team: a',
      [],
      /^warning: .*SidecarSet mesh asks for the label team of .*--namespace-labels/,
    ],
    ['is told the label', 'team: a', ['--namespace-labels', 'team=a'], /^$/],
    ['asks for a name, which is known', 'kubernetes.io/metadata.name: default', [], /^$/],
  ])('warns, offline, of a namespaceSelector that %s', async (_, label, more, warning) => {
    const selecting = (text: string): string =>
      text.replace(/^spec:$/m, `spec:\n  namespaceSelector:\n    matchLabels:\n      ${label}`);
    const argv = ['diff', '-f', 'new', '-s', 'old', '--pods', 'pods', ...more];
    const wanted = selecting(meshSet((text) => text.replace('mesh:v1', 'mesh:v2')));
    const world = { files: { ...files, old: selecting(files.old), new: wanted } };
    expect((await runCli(argv, world)).stderr).toMatch(warning);
  });

  test('of several is a list', async () => {
    const wanted = `${meshSet()}\n---\n${meshSet((text) => text.replaceAll('mesh', 'net'))}`;
    const { stdout } = await runCli(['diff', '-f', 'new', '--offline', '-o', 'json'], { files: { new: wanted } });
    expect(JSON.parse(stdout)).toMatchObject({ items: [{ sidecarSet: 'mesh' }, { sidecarSet: 'net' }] });
  });

  test('of nothing says so', async () => {
    expect(await diff(meshSet())).toMatchObject({ code: 0, verdict: 'NoChange', changes: [] });
  });

  test('of a pod that has no status yet says once, and not otherwise elsewhere, that it is begun', async () => {
    const { status: _, ...pod } = pods[0] as Pod;
    const world = { files: { ...files, pods: JSON.stringify(pod), new: changed('mesh:v1', 'mesh:v2') } };
    const argv = ['diff', '-f', 'new', '-s', 'old', '--pods', 'pods'];
    const { rollout } = JSON.parse((await runCli([...argv, '-o', 'json'], world)).stdout) as ChangeView;
    expect(rollout).toMatchObject({ matched: 1, first: ['default/shop-1'], later: [], notUpgradable: 0, blocked: [] });
    expect(rollout?.message).toBe('0 of 1 pod updated, 0 under way, 0 failed');
    expect((await runCli(argv, world)).stdout).toContain('  1 pod carries it, and can be upgraded to it; RollingOut: ');
  });

  test('counts each pod as begun at once or as held, never as both', async () => {
    const { rollout } = await diff(changed('mesh:v1', 'mesh:v2'));
    expect(rollout?.first).toHaveLength(1);
    expect(rollout?.blocked).toMatchObject([{ reason: 'AwaitingSelection', count: 2 }]);
  });

  test.each([
    [0, 'mesh:v2', '  no pod carries it'],
    [
      1,
      'mesh:v2\n    args: [x]',
      '  1 pod carries it, and cannot be upgraded to it\n  1 pod must be made anew to get it',
    ],
    [
      2,
      'mesh:v2\n    args: [x]',
      '  2 pods carry it, 0 of them can be upgraded to it\n  2 pods must be made anew to get it',
    ],
    [3, 'mesh:v2', '  3 pods carry it, 3 of them can be upgraded to it; RollingOut: '],
  ])('speaks English of %i pods', async (count, image, expected) => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: pods.slice(0, count) });
    const world = { files: { ...files, pods: list, new: changed('mesh:v1', image) } };
    expect((await runCli(['diff', '-f', 'new', '-s', 'old', '--pods', 'pods'], world)).stdout).toContain(expected);
  });

  test('for people is text without colours where it is no terminal or NO_COLOR is set', async () => {
    const argv = ['diff', '-f', 'new', '-s', 'old', '--pods', 'pods', '--limit', '2'];
    const world = { files: { ...files, new: changed('mesh:v1', 'mesh:v2') } };
    const plain = (await runCli(argv, world)).stdout;
    expect(plain).toContain('SidecarSet mesh: running pods are upgraded in place');
    expect(plain).toContain('✔ spec.containers[mesh].image  mesh:v1 -> mesh:v2  hot upgrade, the pod serves on');
    expect(plain).toContain('and 1 more (--limit)');
    expect((await runCli(argv, { ...world, isTTY: true, env: { NO_COLOR: '1' } })).stdout).toBe(plain);
    expect((await runCli(argv, { ...world, isTTY: true })).stdout).toContain('\u001b[');
  });
});
