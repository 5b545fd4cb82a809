import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { applyJsonPatch, KRUISE, type Pod } from '@sidestep/core';
import { parseAllDocuments } from 'yaml';
import { meshSet, shopPod } from '../../test/manifests.js';
import { runCli } from '../../test/run-cli.js';

const goldenFolder = fileURLToPath(new URL('../../../../testdata/golden/open/', import.meta.url));

interface Recorded {
  sidecarSets: object[];
  expected: {
    pod: { admission: { request: { namespace: string; object: Pod }; response: { patch: [] } } };
  };
}

/** Times are chance, and the text of the records is JSON whose order says nothing. */
function comparable(pod: Pod): unknown {
  const annotations: Record<string, unknown> = { ...pod.metadata.annotations };
  for (const key of [KRUISE.hash, KRUISE.hashWithoutImage]) {
    const text = String(annotations[key] ?? '{}').replace(/"updateTimestamp":"[^"]*"/g, '"updateTimestamp":""');
    annotations[key] = JSON.parse(text);
  }
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

describe('inject gives the pod that the real OpenKruise gave', () => {
  test.each([
    'basic-single',
    'basic-single-v1alpha1',
    'hot-basic',
    'hot-two',
    'hot-v1alpha1',
    'init-plain',
    'native-sidecar',
    'multi-two',
    'multi-volumes-secrets',
    'order-mixed',
    'res-max',
  ])('in the recorded case %s', async (name) => {
    const recorded = JSON.parse(readFileSync(`${goldenFolder}${name}.json`, 'utf8')) as Recorded;
    const { request, response } = recorded.expected.pod.admission;
    const files = {
      pod: JSON.stringify(request.object),
      sets: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: recorded.sidecarSets }),
    };
    const argv = ['inject', '-f', 'pod', '-s', 'sets', '-n', request.namespace];
    const whole = await runCli([...argv, '-o', 'json'], { files });
    const patch = await runCli([...argv, '-o', 'patch'], { files });
    const expected = comparable(applyJsonPatch(request.object, response.patch));
    expect(comparable(JSON.parse(whole.stdout))).toEqual(expected);
    expect(comparable(applyJsonPatch(request.object, JSON.parse(patch.stdout)))).toEqual(expected);
    expect(whole.code).toBe(0);
  });
});

describe('inject', () => {
  const files = { pod: shopPod(), set: meshSet() };

  test.each(['json', 'yaml'])('keeps numbers that JavaScript cannot hold, in %s', async (output) => {
    const [own, foreign] = ['9223372036854775807', '9007199254740993'];
    const grace = `livenessProbe: {exec: {command: [x]}, terminationGracePeriodSeconds: ${foreign}}`;
    const world = {
      pod: `${shopPod()}  activeDeadlineSeconds: ${own}\n`,
      set: meshSet((text) => text.replace('image: mesh:v1', `image: mesh:v1\n    ${grace}`)),
    };
    const { stdout, stderr } = await runCli(['inject', '-f', 'pod', '-s', 'set', '-o', output], { files: world });
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`activeDeadlineSeconds"?: ${own}\\b`));
    expect(stdout.match(new RegExp(`terminationGracePeriodSeconds"?: ${foreign}\\b`, 'g'))).toHaveLength(2);
  });

  test('reads the standard input, files that are repeated, streams of documents and Lists', async () => {
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: parseAllDocuments(shopPod('listed')).map((document) => document.toJS()),
    });
    const stream = `${shopPod('a')}---\n${shopPod('b')}---\n`;
    const { stdout, code } = await runCli(['inject', '-f', 'stream', '-f', 'list', '-s', '-'], {
      files: { stream, list, '-': meshSet() },
    });
    const pods = parseAllDocuments(stdout).map((document) => document.toJS() as Pod);
    expect(pods.map((pod) => [pod.metadata.name, pod.spec.containers.map(({ name }) => name)])).toEqual([
      ['a', ['mesh-1', 'mesh-2', 'app']],
      ['b', ['mesh-1', 'mesh-2', 'app']],
      ['listed', ['mesh-1', 'mesh-2', 'app']],
    ]);
    expect(stdout).not.toMatch(/[&*]a\d/);
    expect(code).toBe(0);
  });

  test('says which pod got nothing and why, on the standard error only', async () => {
    const paused = meshSet((text) => `${text}  injectionStrategy: {paused: true}\n`);
    const skipped = await runCli(['inject', '-f', 'pod', '-s', 'set'], { files: { ...files, set: paused } });
    expect(skipped.stderr).toBe(
      'warning: pod default/shop-1: SidecarSet mesh is not injected: injectionStrategy.paused is true\n',
    );
    const other = meshSet((text) => text.replace('app: shop', 'app: bakery'));
    const nobody = await runCli(['inject', '-f', 'pod', '-s', 'set'], { files: { ...files, set: other } });
    expect(nobody).toMatchObject({ code: 0, stderr: 'warning: pod default/shop-1: no SidecarSet selects it\n' });
    expect(parseAllDocuments(nobody.stdout)[0]?.toJS()).toEqual(parseAllDocuments(files.pod)[0]?.toJS());
  });

  test('matches the namespace by the labels given', async () => {
    const set = meshSet((text) => `${text}  namespaceSelector:\n    matchLabels: {team: a}\n`);
    const argv = ['inject', '-f', 'pod', '-s', 'set', '-o', 'patch'];
    const without = await runCli(argv, { files: { ...files, set } });
    expect(JSON.parse(without.stdout)).toEqual([]);
    expect(without.stderr).toContain('the labels of namespace default are not known');
    const labelled = await runCli([...argv, '--namespace-labels', 'team=a'], { files: { ...files, set } });
    expect(JSON.parse(labelled.stdout)).not.toEqual([]);
  });

  test.each<[string, string[], Record<string, string>, number, string]>([
    ['a file that is not there', ['-f', 'none', '-s', 'set'], {}, 2, 'cannot read none'],
    ['text that is not YAML', ['-f', 'pod', '-s', 'set'], { pod: '{a: [' }, 2, 'pod is not YAML'],
    ['a document that is no object', ['-f', 'pod', '-s', 'set'], { pod: '- 1' }, 2, 'pod is not an object'],
    ['an object without a kind', ['-f', 'pod', '-s', 'set'], { pod: 'a: 1' }, 2, 'pod has no apiVersion and kind'],
    ['another kind', ['-f', 'set', '-s', 'set'], {}, 2, 'set is a SidecarSet, which -f does not take'],
    [
      'a pod that is none',
      ['-f', 'pod', '-s', 'set'],
      { pod: shopPod().replace('containers:', 'c:') },
      2,
      'spec.containers',
    ],
    ['an unknown version', ['-f', 'pod', '-s', 'set'], { set: meshSet((t) => t.replace('v1beta1', 'v9')) }, 2, 'v9'],
    [
      'a field of a wrong type',
      ['-f', 'pod', '-s', 'set'],
      { set: meshSet((t) => t.replace('maxUnavailable: 1', 'maxUnavailable: [1]')) },
      2,
      'set: ',
    ],
    [
      'a set the API server refuses',
      ['-f', 'pod', '-s', 'set'],
      { set: meshSet((t) => t.replace('image: mesh:v1', 'image: ""')) },
      1,
      'SidecarSet mesh: spec',
    ],
    ['the standard input twice', ['-f', '-', '-s', '-'], { '-': '' }, 2, 'more than once'],
    ['no pod', ['-f', 'pod', '-s', 'set'], { pod: '' }, 2, 'no Pod'],
    ['aliases that explode', ['-f', 'pod', '-s', 'set'], { pod: bomb() }, 2, 'pod is not YAML'],
    ['an unknown option', ['-f', 'pod', '-s', 'set', '--what'], {}, 2, "unknown option '--what'"],
    ['an unknown format', ['-f', 'pod', '-s', 'set', '-o', 'xml'], {}, 2, 'Allowed choices are yaml, json, patch'],
    ['labels without values', ['-f', 'pod', '-s', 'set', '--namespace-labels', 'x'], {}, 2, 'allowed is key=value'],
  ])('refuses %s, and says where and what is allowed', async (_, argv, changed, code, message) => {
    const run = await runCli(['inject', ...argv], { files: { ...files, ...changed } });
    expect(run).toMatchObject({ code, stdout: '' });
    expect(run.stderr).toContain(message);
  });
});

/** Ten levels of aliases, each naming the one before ten times. */
function bomb(): string {
  const lines = Array.from({ length: 10 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`);
  return ['l0: &l0 [x]', ...lines].join('\n');
}
