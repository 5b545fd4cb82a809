import { describe, expect, test } from '@jest/globals';
import { recordedWrites } from '../../testing/golden.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { canonicalContainersJson, sidecarSetHash, sidecarSetHashWithoutImage } from './hash.js';

describe('the hash of a SidecarSet', () => {
  const container = { name: 'container1', image: 'test-image' };
  const plain: SidecarSet = { metadata: {}, spec: { containers: [container] } };
  const native: SidecarSet = {
    metadata: {},
    spec: { containers: [container], initContainers: [{ ...container, restartPolicy: 'Always' }] },
  };

  test('is OpenKruise’s own for its four published vectors', () => {
    expect(canonicalContainersJson(plain)).toBe(
      '{"containers":[{"name":"container1","image":"test-image","resources":{},"upgradeStrategy":{},"shareVolumePolicy":{}}]}',
    );
    expect(sidecarSetHash(plain)).toBe('w26c4x8fz245642fdv499b464248f974xddx4x55z5dw55bc6x66464fxz77dc78');
    expect(sidecarSetHash(native)).toBe('4xwx4d4844vd4v9x79wb4xbxf4xb29475cc4446v8cz2c2f2f5c5bw448vd42z8w');
    expect(sidecarSetHashWithoutImage(plain)).toBe('8wzddb4dvv9c6x8zdc77z4z75987424f457dfv6724ddw6zbdx467wz5x24fc759');
    expect(sidecarSetHashWithoutImage(native)).toBe('5725fw8bwbx249bw57v5892c847dzf48bww9zb7c86xb95264fdz26654847b2c8');
  });

  test('is of every digit of the numbers of 64 bits, as Go prints them', () => {
    const graces = [9223372036854775807n, 9223372036854775806n, 9007199254740993n, 9007199254740992];
    const sets = graces.map((terminationGracePeriodSeconds): SidecarSet => {
      const livenessProbe = { exec: {}, terminationGracePeriodSeconds };
      return { metadata: {}, spec: { containers: [{ ...container, livenessProbe }] } };
    });
    const texts = sets.map(canonicalContainersJson);
    for (const [index, text] of texts.entries()) {
      expect(text).toContain(`"livenessProbe":{"exec":{},"terminationGracePeriodSeconds":${graces[index]}}`);
    }
    expect(new Set(sets.map(sidecarSetHash)).size).toBe(4);
  });

  const accepted = recordedWrites().filter((write) => write.outcome.stored !== undefined);

  test.each(accepted)('of $title is the recorded one, and the same for both versions', ({ outcome }) => {
    for (const stored of Object.values(outcome.stored ?? {})) {
      expect(sidecarSetHash(stored)).toBe(outcome.hash);
      expect(sidecarSetHashWithoutImage(stored)).toBe(outcome.hashWithoutImage);
    }
  });
});
