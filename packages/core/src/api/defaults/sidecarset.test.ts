import { describe, expect, test } from '@jest/globals';
import { recordedWrites } from '../../../testing/golden.js';
import { withHashes } from '../../revision/hash.js';
import { goJson } from '../schema/go-json.js';
import { SIDECAR_CONTAINERS } from '../schema/sidecar-container-types.js';
import type { SidecarSet } from '../sidecarset.js';
import { defaultSidecarSet } from './sidecarset.js';

describe('the defaults of a SidecarSet', () => {
  const accepted = recordedWrites().filter(({ outcome }) => outcome.stored !== undefined);

  test.each(accepted)('are those that OpenKruise stored for $title', ({ written, outcome }) => {
    const version = written.apiVersion === 'apps.kruise.io/v1alpha1' ? 'v1alpha1' : 'v1beta1';
    const stored = expected(outcome.stored?.[version] as SidecarSet);
    const mine = withHashes(defaultSidecarSet(written));
    expect(mine.metadata.annotations).toEqual(stored.metadata.annotations);
    if (version === 'v1beta1') expect(known(mine)).toEqual(stored.spec);
    expect(defaultSidecarSet(mine)).toEqual(mine);
  });
});

/** On purpose, startup probes get the defaults of the other probes, which changes the hashes of sets that have one. */
function expected(stored: SidecarSet): SidecarSet {
  const hasStartupProbe = stored.spec.containers?.some((container) => container.startupProbe !== undefined);
  return hasStartupProbe ? withHashes(defaultSidecarSet(stored)) : stored;
}

/** Without the fields that OpenKruise does not know and so drops. */
function known({ spec }: SidecarSet): unknown {
  const result = { ...spec } as Record<string, unknown>;
  for (const name of ['containers', 'initContainers']) {
    if (spec[name] !== undefined) result[name] = JSON.parse(goJson(SIDECAR_CONTAINERS, spec[name]));
  }
  return result;
}
