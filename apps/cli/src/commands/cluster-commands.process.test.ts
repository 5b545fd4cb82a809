import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { SIDESTEP, type SidecarSet, type SidecarSetStatus } from '@sidestep/core';
import { HttpKubeApi, type KubeApi, type KubeObject, loadKubeConfig } from '@sidestep/kube';
import { type KubeSim, startKubeSim } from '@sidestep/testkit';
import { runCli } from '../../test/run-cli.js';
import { runProcess } from '../../test/run-process.js';
import { recordedSnapshot } from '../../test/snapshots.js';
import { CONTROLLER_REVISION, POD, SIDECARSET } from '../cluster/kinds.js';
import type { SidecarSetView } from '../view/sidecarset-view.js';

const crds = fileURLToPath(new URL('../../../../deploy/crds', import.meta.url));
const NAMESPACE = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };

/** Starting a process may take long on a busy machine. */
jest.setTimeout(240_000);

let sim: KubeSim;
let api: HttpKubeApi;
let folder: string;
let kubeconfig: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kubectl-sidestep-'));
  kubeconfig = path.join(folder, 'kubeconfig');
  sim = await startKubeSim({ manifests: [crds], kubeconfigFile: kubeconfig });
  api = new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig }) });
});

afterEach(async () => {
  api.close();
  await sim.stop();
  await rm(folder, { recursive: true });
});

const run = (...argv: string[]) => runCli([...argv, '--kubeconfig', kubeconfig]);
const stored = (): Promise<SidecarSet & KubeObject> => api.get(SIDECARSET, { name: 'mesh' });

/** Puts what was recorded into the simulated cluster. */
async function given(
  name: 'rolling-out' | 'failed',
  change: (set: SidecarSet) => void = () => undefined,
): Promise<void> {
  const { sidecarSet, revisions, pods } = structuredClone(recordedSnapshot(name));
  change(sidecarSet);
  for (const namespace of ['shop', 'kruise-system']) await api.create(NAMESPACE, { metadata: { name: namespace } });
  const { metadata } = await api.create(SIDECARSET, fresh(sidecarSet));
  const status = { ...sidecarSet.status, observedGeneration: metadata.generation } as SidecarSetStatus;
  await writeStatus(api, status);
  for (const revision of revisions) {
    const ownerReferences = revision.metadata.ownerReferences?.map((owner) => ({ ...owner, uid: metadata.uid ?? '' }));
    await api.create(CONTROLLER_REVISION, fresh({ ...revision, metadata: { ...revision.metadata, ownerReferences } }));
  }
  for (const pod of pods) {
    const created = await api.create(POD, fresh(pod));
    await api.replace(POD, { ...created, status: pod.status } as KubeObject, { subresource: 'status' });
  }
}

const fresh = (object: object): KubeObject => {
  const { metadata, ...rest } = object as KubeObject;
  const { uid: _, resourceVersion: __, generation: ___, creationTimestamp: ____, ...kept } = metadata;
  return { ...rest, metadata: kept };
};

async function writeStatus(to: KubeApi, status: SidecarSetStatus): Promise<void> {
  await to.replace(SIDECARSET, { ...(await stored()), status }, { subresource: 'status' });
}

/** The conditions of a rollout that stands. */
function standing(set: SidecarSet, reason: string): SidecarSetStatus {
  const { conditions = [], ...status } = set.status as SidecarSetStatus;
  const changed = conditions.map((condition) => {
    if (condition.type === 'Progressing') return { ...condition, status: 'False' as const, reason };
    return condition.type === 'Paused' ? { ...condition, status: 'True' as const, reason } : condition;
  });
  return { ...status, conditions: changed };
}

describe('get', () => {
  test('as a process shows the tree of the cluster that --kubeconfig or KUBECONFIG names', async () => {
    await given('rolling-out');
    const byOption = await runProcess(['get', 'mesh', '--kubeconfig', kubeconfig]);
    expect(byOption).toMatchObject({ code: 0, stderr: '' });
    expect(byOption.stdout).toContain('↻ SidecarSet mesh  mesh:v3');
    expect(byOption.stdout).toContain('revision 4 mesh-6cbfc9d654 (latest)  mesh:v3, 2 pods');
    const byVariable = await runProcess(['get', 'mesh', '-o', 'json'], { env: { KUBECONFIG: kubeconfig } });
    const view = JSON.parse(byVariable.stdout) as SidecarSetView;
    expect(view.revisions.flatMap(({ pods }) => pods.map(({ name }) => name)).sort()).toEqual([
      'shop-1',
      'shop-2',
      'shop-3',
      'shop-4',
    ]);
  });

  test('shows only the namespace of -n, which -A contradicts', async () => {
    await given('rolling-out');
    const { stdout } = await run('get', 'mesh', '-n', 'default', '-o', 'json');
    expect((JSON.parse(stdout) as SidecarSetView).revisions.flatMap(({ pods }) => pods)).toEqual([]);
    expect(await run('get', 'mesh', '-n', 'shop', '-A')).toMatchObject({ code: 2 });
  });

  test('with --watch --until-done follows the rollout to its end', async () => {
    await given('rolling-out');
    let seen = '';
    const done = runCli(['get', 'mesh', '--watch', '--until-done', '--kubeconfig', kubeconfig], {
      onOutput: (text) => {
        if (seen === '') void finish();
        seen = text;
      },
    });
    const finish = async (): Promise<void> => {
      const set = await stored();
      await writeStatus(api, standing(set, 'RolloutComplete'));
    };
    expect(await done).toMatchObject({ code: 0 });
    expect(seen).toMatch(/^↻ SidecarSet mesh[\s\S]*\n✔ SidecarSet mesh/);
  });

  test('with --watch -o json prints one object on a line for each change, on a terminal too', async () => {
    await given('rolling-out');
    let begun = false;
    const { stdout } = await runCli(['get', 'mesh', '-w', '--until-done', '-o', 'json', '--kubeconfig', kubeconfig], {
      isTTY: true,
      onOutput: () => {
        if (!begun) void stored().then((set) => writeStatus(api, standing(set, 'RolloutComplete')));
        begun = true;
      },
    });
    const lines = stdout.split('\n');
    expect(lines.pop()).toBe('');
    const views = lines.map((line) => JSON.parse(line) as SidecarSetView);
    expect([views.at(0)?.verdict.state, views.at(-1)?.verdict.state]).toEqual(['Progressing', 'Complete']);
  });

  test('ends on Ctrl-C without a word', async () => {
    await given('rolling-out');
    const stop = new AbortController();
    const watched = await runCli(['get', 'mesh', '-w', '--kubeconfig', kubeconfig], {
      stop: stop.signal,
      onOutput: () => stop.abort(),
    });
    expect(watched).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('status', () => {
  test('tells every change and ends with 0 when the rollout is complete', async () => {
    await given('rolling-out');
    let begun = false;
    const { code, stdout } = await runCli(['status', 'mesh', '--kubeconfig', kubeconfig], {
      onOutput: () => {
        if (!begun) void stored().then((set) => writeStatus(api, standing(set, 'RolloutComplete')));
        begun = true;
      },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Progressing RollingOut: .*\nComplete RolloutComplete: .*\n$/);
  });

  test('with -o json prints one object when it ends, and the lines on the standard error', async () => {
    await given('rolling-out');
    let begun = false;
    const { code, stdout, stderr } = await runCli(['status', 'mesh', '-o', 'json', '--kubeconfig', kubeconfig], {
      onError: () => {
        if (!begun) void stored().then((set) => writeStatus(api, standing(set, 'RolloutComplete')));
        begun = true;
      },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'Complete', reason: 'RolloutComplete' });
    expect(stderr).toMatch(/^Progressing RollingOut: .*\nComplete RolloutComplete: .*\n$/);
  });

  test('ends with 1 when it failed', async () => {
    await given('failed');
    const { code, stdout } = await run('status', 'mesh');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Failed TooManyFailures: /);
  });

  test('ends with 3 when it is not done in time, and with --no-wait at once', async () => {
    await given('rolling-out');
    expect(await run('status', 'mesh', '--timeout', '1s')).toMatchObject({
      code: 3,
      stderr: 'error: not done within 1 s\n',
    });
    const late = await run('status', 'mesh', '--timeout', '1s', '-o', 'json');
    expect(late.code).toBe(3);
    expect(JSON.parse(late.stdout)).toMatchObject({ state: 'Progressing', reason: 'RollingOut' });
    const { code, stdout } = await run('status', 'mesh', '--no-wait', '-o', 'json');
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'Progressing', reason: 'RollingOut' });
  });

  test('refuses a time that it cannot read, and says what is allowed', async () => {
    const { code, stderr } = await run('status', 'mesh', '--timeout', 'soon');
    expect(code).toBe(2);
    expect(stderr).toContain('such as 90s or 5m');
  });
});

describe('why', () => {
  test('finds a SidecarSet or a pod of that name', async () => {
    await given('failed');
    const told = async (...argv: string[]): Promise<unknown> =>
      JSON.parse((await run('why', ...argv, '-o', 'json')).stdout);
    expect(await told('mesh')).toMatchObject({ subject: 'SidecarSet mesh', reason: 'TooManyFailures' });
    expect(await told('pod/shop-2', '-n', 'shop')).toMatchObject({ items: [{ reason: 'FailedBefore' }] });
    expect(await told('shop-2', '-A')).toMatchObject({ items: [{ subject: 'pod shop/shop-2, SidecarSet mesh' }] });
    const { code, stderr } = await run('why', 'shop-2');
    expect(code).toBe(2);
    expect(stderr).toContain('there is no SidecarSet, nor a pod in namespace default, called "shop-2"');
  });

  test('of a SidecarSet that there is not names those that there are, and no namespace to look in', async () => {
    await given('failed');
    const { code, stderr } = await run('why', 'sidecarset/nope');
    expect(code).toBe(2);
    expect(stderr).toBe('error: there is no SidecarSet "nope"\nhint: There are: mesh.\n');
  });

  test('of one name for both asks which is meant', async () => {
    await given('failed');
    await api.create(POD, {
      metadata: { name: 'mesh', namespace: 'default' },
      spec: { containers: [{ name: 'app', image: 'app:1' }] },
    });
    expect(await run('why', 'mesh')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hint: Say sidecarset/mesh'),
    });
    expect(await run('why', 'set/mesh')).toMatchObject({ code: 0 });
    expect(await run('why', 'pod/mesh')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('carries no SidecarSet'),
    });
  });
});

describe('the name of a SidecarSet', () => {
  test.each([['get'], ['status', '--no-wait'], ['pause', '--dry-run'], ['why']])(
    'may say so, to %s',
    async (...argv) => {
      await given('failed');
      const plain = await run(...argv, 'mesh');
      expect(await run(...argv, 'sidecarset/mesh')).toEqual(plain);
      expect(await run(...argv, 'sidecarsets.apps.kruise.io/mesh')).toEqual(plain);
      expect(await run(...argv, 'deployment/mesh')).toMatchObject({ code: 2, stdout: '' });
    },
  );

  test('of which status waits for the end may say so too', async () => {
    await given('failed');
    expect(await run('status', 'set/mesh')).toMatchObject({ code: 1 });
  });
});

describe('steering', () => {
  test('pause and resume set the field, once', async () => {
    await given('rolling-out');
    expect(await run('pause', 'mesh')).toMatchObject({ code: 0 });
    expect((await stored()).spec.updateStrategy?.paused).toBe(true);
    expect(await run('pause', 'mesh')).toMatchObject({ code: 1, stderr: expect.stringContaining('paused already') });
    expect(await run('resume', 'mesh')).toMatchObject({ code: 0 });
    expect((await stored()).spec.updateStrategy?.paused).toBe(false);
    expect(await run('resume', 'mesh')).toMatchObject({ code: 1 });
  });

  test('promote names the revision and the step that waits', async () => {
    await given('rolling-out', (set) => {
      set.spec.updateStrategy = {
        ...set.spec.updateStrategy,
        steps: [
          { pods: 1, pause: {} },
          { pods: 2, pause: {} },
        ],
      };
    });
    expect(await run('promote', 'mesh')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not wait at a step'),
    });
    await writeStatus(api, {
      ...standing(await stored(), 'StepPause'),
      currentStep: 1,
      stepsSince: '2026-11-23T15:30:00Z',
    });
    expect((await run('promote', 'mesh')).stdout).toBe('sidecarset mesh: promoted step 2 of 2\n');
    expect((await stored()).metadata.annotations?.[SIDESTEP.promote]).toBe('mesh-6cbfc9d654@2026-11-23T15:30:00Z:1');
    expect(await run('promote', 'mesh', '--full')).toMatchObject({ code: 0 });
    expect((await stored()).metadata.annotations?.[SIDESTEP.promote]).toBe('mesh-6cbfc9d654@2026-11-23T15:30:00Z:all');
  });

  test('abort names the revision, and retry takes that back', async () => {
    await given('rolling-out');
    expect(await run('abort', 'mesh')).toMatchObject({ code: 0 });
    expect((await stored()).metadata.annotations?.[SIDESTEP.abort]).toBe('mesh-6cbfc9d654');
    expect(await run('abort', 'mesh')).toMatchObject({ code: 1 });
    expect(await run('retry', 'mesh')).toMatchObject({ code: 0 });
    const { annotations } = (await stored()).metadata;
    expect(annotations?.[SIDESTEP.abort]).toBeUndefined();
    expect(annotations?.[SIDESTEP.retry]).toBeDefined();
  });

  test.each([
    ['the last good one', [], 'mesh:v1'],
    ['one by number', ['--to', '2'], 'mesh:v2'],
    ['one by name', ['--to', 'mesh-bd96986b8'], 'mesh:v1'],
    ['one by the end of its name', ['--to', 'bd96986b8'], 'mesh:v1'],
  ])('rollback puts %s into the spec', async (_, argv, image) => {
    await given('rolling-out');
    expect(await run('rollback', 'mesh', ...argv)).toMatchObject({ code: 0 });
    expect((await stored()).spec.containers?.[0]?.image).toBe(image);
  });

  test('rollback to what is not there lists what is, and to what is there already does nothing', async () => {
    await given('rolling-out');
    expect(await run('rollback', 'mesh', '--to', '9')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hint: Revisions: 4 mesh-6cbfc9d654'),
    });
    expect(await run('rollback', 'mesh', '--to', '4')).toMatchObject({ code: 1 });
  });

  test('with --dry-run prints the patch and writes nothing', async () => {
    await given('rolling-out');
    const before = await stored();
    const { stdout } = await run('pause', 'mesh', '--dry-run');
    expect(JSON.parse(stdout)).toEqual({ spec: { updateStrategy: { paused: true } } });
    expect((await stored()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});

describe('diff against the cluster', () => {
  test('looks at the stored SidecarSet, its pods and its revisions', async () => {
    await given('rolling-out');
    const set = await stored();
    const wanted = JSON.stringify({ ...set, metadata: { name: 'mesh' }, status: undefined }).replace(
      'mesh:v3',
      'mesh:v4',
    );
    const { stdout, code } = await runCli(['diff', '-f', '-', '-o', 'json', '--kubeconfig', kubeconfig], {
      files: { '-': wanted },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'InPlace',
      revision: { before: 'mesh-6cbfc9d654', isNew: true },
      rollout: { matched: 4 },
    });
  });
});

describe('diff of what kubectl prints of the cluster', () => {
  test('says that nothing changes', async () => {
    await given('rolling-out');
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [await stored()] });
    const { stdout } = await runCli(['diff', '-f', '-', '-o', 'json', '--kubeconfig', kubeconfig], {
      files: { '-': list },
    });
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'NoChange', changes: [] });
  });
});

describe('a cluster that does not answer as wished', () => {
  test('of which the name is wrong lists the names there are', async () => {
    await given('rolling-out');
    expect(await run('get', 'mash')).toMatchObject({ code: 2, stderr: expect.stringContaining('There are: mesh.') });
    expect(await run('get', '../mesh')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be the name'),
    });
  });

  test('that refuses or is not there ends with 4', async () => {
    await given('rolling-out');
    sim.faults.add({ match: { resource: 'sidecarsets' }, effect: { kind: 'status', code: 403, reason: 'Forbidden' } });
    expect(await run('get', 'mesh')).toMatchObject({ code: 4, stdout: '' });
  });

  test('whose context does not exist lists the contexts', async () => {
    const { code, stderr } = await run('get', 'mesh', '--context', 'nowhere');
    expect(code).toBe(2);
    expect(stderr).toContain('has no context "nowhere"');
  });
});
