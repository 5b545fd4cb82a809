import { describe, expect, test } from '@jest/globals';
import { containerVariables, EnvSourceError, expandVariables } from './container-environment.js';
import type { EnvEntry, PodObject } from './pod-spec.js';

const ADDRESSES = { podIP: '127.77.0.9', hostIP: '127.0.0.1' };

const podWith = (annotations: Record<string, string>): PodObject => ({
  metadata: { name: 'web-1', namespace: 'shop', uid: 'u1', annotations, labels: { app: 'web' } },
  spec: { nodeName: 'node-1', containers: [] },
});

const field = (name: string, fieldPath: string): EnvEntry => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const resolve = (env: EnvEntry[], annotations: Record<string, string> = {}) =>
  containerVariables(
    podWith(annotations),
    { name: 'c', image: 'i', env, resources: { limits: { cpu: '2' } } },
    ADDRESSES,
  );

describe('variables in a text', () => {
  test.each([
    ['$(A)', 'one'],
    ['http://$(A):8080/$(B)', 'http://one:8080/two'],
    ['$$(A)', '$(A)'],
    ['$(MISSING)', '$(MISSING)'],
    ['$A and $', '$A and $'],
    ['$$$(A)', '$one'],
    ['$()', '$()'],
  ])('%s becomes %s', (text, expected) => {
    expect(expandVariables(text, { A: 'one', B: 'two' })).toBe(expected);
  });

  test('a name of the object prototype is not a variable', () => {
    expect(expandVariables('$(constructor)', {})).toBe('$(constructor)');
  });
});

describe('the variables of a container', () => {
  test('come from the pod as it is at this start', () => {
    const key = 'version.sidecarset.kruise.io/mesh-1';
    const env = [field('SIDECARSET_VERSION', `metadata.annotations['${key}']`)];
    expect(resolve(env, { [key]: '12' })).toEqual({ SIDECARSET_VERSION: '12' });
    expect(resolve(env, { [key]: '13' })).toEqual({ SIDECARSET_VERSION: '13' });
  });

  test('an annotation that the pod does not have reads as the empty text', () => {
    expect(resolve([field('V', "metadata.annotations['none']")])).toEqual({ V: '' });
  });

  test.each([
    ["metadata.labels['app']", 'web'],
    ['metadata.name', 'web-1'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'u1'],
    ['status.podIP', '127.77.0.9'],
    ['status.hostIP', '127.0.0.1'],
    ['spec.nodeName', 'node-1'],
    ['spec.serviceAccountName', 'default'],
  ])('%s is %s', (path, expected) => {
    expect(resolve([field('X', path)])).toEqual({ X: expected });
  });

  test('a variable sees those before it and not those after it', () => {
    const env = [
      { name: 'EARLY', value: '$(LATE)' },
      field('POD_IP', 'status.podIP'),
      { name: 'LATE', value: '$(POD_IP):8080' },
    ];
    expect(resolve(env)).toEqual({ EARLY: '$(LATE)', POD_IP: '127.77.0.9', LATE: '127.77.0.9:8080' });
  });

  test('what a fieldRef brings is not expanded again', () => {
    expect(resolve([{ name: 'A', value: 'x' }, field('B', "metadata.annotations['k']")], { k: '$(A)' }).B).toBe('$(A)');
  });

  test('a limit is readable, and a source that is not supported says which it is', () => {
    expect(resolve([{ name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }])).toEqual({
      CPU: '2',
    });
    expect(() => resolve([{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }])).toThrow(
      new EnvSourceError('variable S: valueFrom.secretKeyRef is not supported here'),
    );
    expect(() => resolve([field('S', 'status.phase')])).toThrow(EnvSourceError);
  });
});
