import { describe, expect, test } from '@jest/globals';
import { readSidecarSet } from './read-sidecarset.js';

const read = (fields: object, apiVersion = 'apps.kruise.io/v1beta1') =>
  readSidecarSet({ apiVersion, kind: 'SidecarSet', ...fields });

describe('readSidecarSet', () => {
  // The messages are those of sigs.k8s.io/json for the Go types of Kubernetes 1.32.
  test.each<[string, object, string]>([
    [
      'a number for a string',
      { containers: [{ image: 5 }] },
      'number into Go struct field SidecarContainer.spec.containers.image of type string',
    ],
    [
      'a string for a number',
      { containers: [{ ports: [{ containerPort: '80' }] }] },
      'string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      'an object for a list',
      { containers: { a: 1 } },
      'object into Go struct field SidecarSetSpec.spec.containers of type []v1beta1.SidecarContainer',
    ],
    [
      'a string for an element',
      { containers: ['x'] },
      'string into Go struct field SidecarSetSpec.spec.containers of type v1beta1.SidecarContainer',
    ],
    [
      'a fraction for a number',
      { containers: [{ ports: [{ containerPort: 1.5 }] }] },
      'number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      'a number too large',
      { updateStrategy: { partition: 99999999999 } },
      'number 99999999999 into Go struct field SidecarSetUpdateStrategy.spec.updateStrategy.partition of type int32',
    ],
    [
      'a string for a list of strings',
      { containers: [{ command: 'sh' }] },
      'string into Go struct field SidecarContainer.spec.containers.command of type []string',
    ],
    [
      'a number in a list of strings',
      { containers: [{ command: [1] }] },
      'number into Go struct field SidecarContainer.spec.containers.command of type string',
    ],
    [
      'a number for a named string type',
      { containers: [{ restartPolicy: 1 }] },
      'number into Go struct field SidecarContainer.spec.containers.restartPolicy of type v1.ContainerRestartPolicy',
    ],
    [
      'a number for a label',
      { selector: { matchLabels: { a: 1 } } },
      'number into Go struct field LabelSelector.spec.selector.matchLabels of type string',
    ],
    [
      'a list for a volume source',
      { volumes: [{ emptyDir: [] }] },
      'array into Go struct field Volume.spec.volumes.emptyDir of type v1.EmptyDirVolumeSource',
    ],
    [
      'a number for resources',
      { containers: [{ resources: { limits: 5 } }] },
      'number into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList',
    ],
    [
      'the first of several in the order of the text',
      { containers: [{ image: 5, command: 'x' }], volumes: 5 },
      'number into Go struct field SidecarContainer.spec.containers.image of type string',
    ],
    [
      'a string for a boolean',
      { updateStrategy: { paused: 'x' } },
      'string into Go struct field SidecarSetUpdateStrategy.spec.updateStrategy.paused of type bool',
    ],
  ])('refuses %s as Go does', (_, spec, message) => {
    expect(() => read({ spec })).toThrow(`json: cannot unmarshal ${message}`);
  });

  test('refuses what is no quantity, wherever one is expected', () => {
    for (const value of ['abc', '', true, {}, '1x']) {
      expect(() => read({ spec: { containers: [{ resources: { limits: { cpu: value } } }] } })).toThrow(
        'quantities must match the regular expression',
      );
    }
  });

  test('names the version of the object in its types', () => {
    expect(() => read({ spec: { containers: 1 } }, 'apps.kruise.io/v1alpha1')).toThrow('[]v1alpha1.SidecarContainer');
  });

  test('takes null for unset and does not look into fields that nobody knows', () => {
    const spec = { containers: [null, { name: null, ports: null, futureField: [1, 'a', {}] }] };
    expect(read({ spec }).spec).toEqual(spec);
    expect(read({ spec: null }).spec).toEqual({});
    expect(read({ metadata: { name: null, labels: null, uid: 'u' } }).metadata).toEqual({ uid: 'u' });
  });

  test('refuses other objects, and ones that are nested without end', () => {
    expect(() => readSidecarSet(null)).toThrow('the object is missing');
    expect(() => readSidecarSet({ apiVersion: 'v1', kind: 'Pod' })).toThrow('expected a SidecarSet');
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(() => read({ spec: { containers: [{ futureField: deep }] } })).toThrow('exceeded max depth');
  });
});
