import { describe, expect, test } from '@jest/globals';
import type { Container } from '../api/kubernetes.js';
import type { ResourcesPolicy } from '../api/sidecarset.js';
import { InjectionRefused } from './injection-plan.js';
import { compileResourcesPolicy, resourcesByPolicy } from './resources-policy.js';

const app = (name: string, cpu: string, memory: string): Container => ({
  name,
  resources: { limits: { cpu, memory }, requests: { cpu, memory } },
});

const both = { cpu: 'cpu', memory: 'memory' };

function resources(policy: Partial<ResourcesPolicy>, containers: Container[], initContainers: Container[] = []) {
  const compiled = compileResourcesPolicy({
    targetContainersMode: 'sum',
    targetContainersNameRegex: '.*',
    resourcesExpr: { limits: both, requests: both },
    ...policy,
  });
  return resourcesByPolicy(compiled, { metadata: {}, spec: { containers, initContainers } }, new Set(['mesh']));
}

describe('resources by policy', () => {
  const pair = [app('a', '400m', '1Gi'), app('b', '1', '512Mi')];

  test('sum up or take the largest of each resource', () => {
    expect(resources({}, pair).limits).toEqual({ cpu: '1400m', memory: '1536Mi' });
    expect(resources({ targetContainersMode: 'max' }, pair).limits).toEqual({ cpu: '1', memory: '1Gi' });
  });

  test('look at native sidecars too, and never at plain init containers or at the SidecarSets own', () => {
    const native = { ...app('native', '100m', '1Gi'), restartPolicy: 'Always' };
    const found = resources({}, [app('a', '1', '1Gi'), app('mesh', '9', '9Gi')], [native, app('init', '5', '5Gi')]);
    expect(found.requests).toEqual({ cpu: '1100m', memory: '2Gi' });
  });

  test('choose their targets by a pattern that may match anywhere in a name', () => {
    expect(
      resources({ targetContainersNameRegex: 'p2' }, [app('app', '1', '1Gi'), app('app2', '2', '2Gi')]).limits,
    ).toEqual({
      cpu: '2',
      memory: '2Gi',
    });
  });

  test('leave a limit unset that one of the targets lacks, even for a constant', () => {
    const policy = {
      resourcesExpr: { limits: { cpu: '1', memory: '200Mi' }, requests: { cpu: 'cpu+10m', memory: '5Mi' } },
    };
    const unlimited = { name: 'b', resources: { limits: { cpu: '1' } } };
    expect(resources(policy, [app('a', '100m', '1Gi'), unlimited])).toEqual({
      limits: { cpu: '1' },
      requests: { cpu: '110m', memory: '5Mi' },
    });
    expect(resources({ resourcesExpr: { limits: { memory: 'memory' } } }, [{ name: 'a' }])).toEqual({});
  });

  test('count a missing request as zero', () => {
    expect(resources({ resourcesExpr: { requests: both } }, [{ name: 'a' }])).toEqual({
      requests: { cpu: '0', memory: '0' },
    });
  });

  test('read a plain number as cores, unless the expression speaks of memory', () => {
    const expr = { resourcesExpr: { requests: { cpu: '0.5', memory: '7' } } };
    expect(resources(expr, pair).requests).toEqual({ cpu: '500m', memory: '7' });
  });

  test.each([
    [{ targetContainersNameRegex: '^nobody$' }, 'no containers match the regex pattern "^nobody$"'],
    [
      { resourcesExpr: { limits: { cpu: 'cpu-5' } } },
      'failed to evaluate CPU limits expression: failed to parse expression "cpu-5": calculation result is negative: -3600m',
    ],
    [
      { resourcesExpr: { requests: { memory: 'cpu*memory' } } },
      'failed to evaluate memory requests expression: failed to parse expression "cpu*memory": undefined variable: cpu',
    ],
  ])('%j refuses the pod: %s', (policy, message) => {
    expect(() => resources(policy, pair)).toThrow(InjectionRefused);
    expect(() => resources(policy, pair)).toThrow(message);
  });

  test('refuse every pod when the pattern cannot be read', () => {
    const message =
      'failed to get target containers: invalid regex pattern "[": error parsing regexp: missing closing ]: `[`';
    expect(() => resources({ targetContainersNameRegex: '[' }, pair)).toThrow(message);
  });

  test('refuse a pod whose quantities cannot be read', () => {
    expect(() => resources({}, [app('a', 'lots', '1Gi')])).toThrow(InjectionRefused);
  });
});
