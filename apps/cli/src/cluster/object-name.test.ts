import { describe, expect, test } from '@jest/globals';
import { readObjectName, readSidecarSetName } from './object-name.js';

describe('the name of an object', () => {
  test.each([
    'sidecarset/mesh',
    'sidecarsets/mesh',
    'SidecarSet/mesh',
    'set/mesh',
    'sets/mesh',
    'sidecarset.apps.kruise.io/mesh',
    'sidecarsets.apps.kruise.io/mesh',
    'sidecarsets.v1beta1.apps.kruise.io/mesh',
  ])('may say that a SidecarSet is meant, as %s does', (argument) => {
    expect(readObjectName(argument)).toEqual({ kind: 'SidecarSet', name: 'mesh' });
    expect(readSidecarSetName(argument)).toBe('mesh');
  });

  test.each(['pod/shop-1', 'pods/shop-1', 'po/shop-1'])('may say that a pod is meant, as %s does', (argument) => {
    expect(readObjectName(argument)).toEqual({ kind: 'Pod', name: 'shop-1' });
    expect(() => readSidecarSetName(argument)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('why pod/shop-1') }),
    );
  });

  test('alone leaves the kind open', () => {
    expect(readObjectName('mesh')).toEqual({ kind: 'any', name: 'mesh' });
    expect(readSidecarSetName('mesh')).toBe('mesh');
  });

  test.each([
    ['deployment/mesh', 'names a deployment, neither a SidecarSet nor a pod'],
    ['sidecarsets.example.com/mesh', 'names a sidecarsets.example.com'],
    ['../mesh', 'cannot be the name of a SidecarSet'],
    ['set/', '"" cannot be the name of a SidecarSet'],
    ['set/a/b', '"a/b" cannot be the name of a SidecarSet'],
  ])('is refused where it is %s', (argument, message) => {
    expect(() => readObjectName(argument)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => readSidecarSetName(argument)).toThrow(message);
  });
});
