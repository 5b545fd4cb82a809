import { describe, expect, test } from '@jest/globals';
import type { Pod } from '@sidestep/core';
import { posted } from './api-server-pod.js';
import type { ExpectedAdmission } from './golden-case.js';
import { demandAnswerOf, demandSamePod } from './recorded-admission.js';
import { aPod } from './testing/recorded-case.js';

/** What a server hands to the webhook for this pod, but for what `change` does to it. */
const requestFor = (pod: Pod, change: (request: Record<string, never>) => void = () => {}): Pod => {
  const request = structuredClone(posted(pod));
  change(request as never);
  return request;
};

const place = 'the request';
const [container] = aPod('p').spec.containers;
const withContainer = (fields: object): Pod => aPod('p', { containers: [{ ...container, ...fields } as never] });

describe('the pod that was sent and the pod that the webhook got are held against each other', () => {
  test.each<[string, Pod, (request: Pod) => void]>([
    ['metadata.labels.app', aPod('p'), (request) => Object.assign(request.metadata, { labels: { app: 'x' } })],
    ['metadata.labels.b', aPod('p'), (request) => Object.assign(request.metadata.labels ?? {}, { b: 'x' })],
    ['metadata.annotations', aPod('p'), (request) => Object.assign(request.metadata, { annotations: { a: 'x' } })],
    ['spec.containers[0].image', aPod('p'), (request) => Object.assign(request.spec.containers[0]!, { image: 'x' })],
    [
      'spec.containers[0].command',
      aPod('p'),
      (request) => Object.assign(request.spec.containers[0]!, { command: ['x'] }),
    ],
    ['spec.containers[1]', aPod('p'), (request) => request.spec.containers.push({ name: 'x', image: 'x' })],
    ['spec.containers[0]', aPod('p'), (request) => request.spec.containers.pop()],
    ['spec.nodeName', aPod('p', { nodeName: 'n' }), (request) => delete request.spec.nodeName],
    [
      'spec.containers[0].resources.requests',
      withContainer({ resources: { limits: { cpu: '2' } } }),
      (request) =>
        Object.assign(request.spec.containers[0]!, { resources: { limits: { cpu: '2' }, requests: { cpu: '3' } } }),
    ],
    ['spec.restartPolicy', aPod('p'), (request) => Object.assign(request.spec, { restartPolicy: 'Never' })],
    ['spec.hostNetwork', aPod('p'), (request) => Object.assign(request.spec, { hostNetwork: true })],
  ])('at %s', (at, pod, change) => {
    expect(() => demandSamePod(pod, requestFor(pod, change as never), place)).toThrow(
      `the request is not of the pod that was sent: at ${at} that has `,
    );
  });

  test.each<[string, Pod, (request: Pod) => void]>([
    ['defaults', aPod('p'), () => {}],
    [
      'a token volume by its real name',
      aPod('p'),
      (request) =>
        Object.assign(request.spec.volumes![1] ?? request.spec.volumes![0]!, { name: 'kube-api-access-a1b2c' }),
    ],
    ['what is empty left out', aPod('p', { nodeName: '', volumes: [] }), (request) => delete request.spec.nodeName],
    [
      'the pull secrets of its account',
      aPod('p'),
      (request) => Object.assign(request.spec, { imagePullSecrets: [{ name: 'x' }] }),
    ],
    [
      'the priority of its class',
      aPod('p', { priorityClassName: 'high' } as never),
      (request) => Object.assign(request.spec, { priority: 9 }),
    ],
    [
      'a quantity in its plain form',
      withContainer({ resources: { requests: { cpu: 0.5 } } }),
      (request) => Object.assign(request.spec.containers[0]!, { resources: { requests: { cpu: '500m' } } }),
    ],
    [
      'requests from limits, in their plain form',
      withContainer({ resources: { limits: { cpu: '2000m' } } }),
      (request) =>
        Object.assign(request.spec.containers[0]!, { resources: { limits: { cpu: '2' }, requests: { cpu: '2' } } }),
    ],
    [
      'how long a token of a volume lasts',
      aPod('p', {
        volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }],
      } as never),
      (request) =>
        Object.assign(request.spec.volumes![0] as object, {
          projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }], defaultMode: 420 },
        }),
    ],
    [
      'its own tolerations and those of every pod',
      aPod('p', {
        tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
      } as never),
      () => {},
    ],
  ])('and a server may add or write otherwise: %s', (_, pod, change) => {
    expect(() => demandSamePod(pod, requestFor(pod, change as never), place)).not.toThrow();
  });
});

describe('the patch of an answer and the pod beside it are held against each other', () => {
  const request = { object: posted(aPod('p')) };
  const answer = (patch: object[], patched: Pod): ExpectedAdmission =>
    ({ request, response: { allowed: true, patch, patched } }) as never;
  const change = { op: 'replace', path: '/spec/containers/0/image', value: 'app:2' };
  const image = (name: string): Pod => {
    const pod = structuredClone(request.object);
    pod.spec.containers[0]!.image = name;
    return pod;
  };

  test('both say the same', () => {
    expect(() => demandAnswerOf(answer([change], image('app:2')), 'pod')).not.toThrow();
  });

  test('both say different things', () => {
    const message =
      'the answer to pod says two things: at /spec/containers/0(app)/image patched has "app:3", and patch makes "app:2"';
    expect(() => demandAnswerOf(answer([change], image('app:3')), 'pod')).toThrow(message);
  });

  test('the patch is of something else', () => {
    const elsewhere = { ...change, path: '/spec/containers/7/image' };
    expect(() => demandAnswerOf(answer([elsewhere], image('app:2')), 'pod')).toThrow('does not apply');
  });
});
