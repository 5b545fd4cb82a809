import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { arbitraryOf } from '../../testing/arbitrary-shape.js';
import { lookupOf } from '../revision/find-revision.js';
import { withHashes } from '../revision/hash.js';
import { convertSidecarSet } from './conversion.js';
import { defaultSidecarSet } from './defaults/sidecarset.js';
import { formatFieldErrors } from './field-error.js';
import { readSidecarSet, SidecarSetDecodeError } from './read-sidecarset.js';
import { SIDECARSET } from './schema/sidecarset-types.js';
import { validateAgainstSchema } from './validation/schema.js';
import { validateSidecarSet } from './validation/sidecarset.js';
import { sidecarSetWarnings } from './validation/warnings.js';
import { API_V1ALPHA1, API_V1BETA1 } from './versions.js';

const NO_OTHERS = { others: [], revisions: lookupOf([]) };

/** Everything that admission does with a SidecarSet. */
function admit(object: unknown): void {
  const set = withHashes(convertSidecarSet(defaultSidecarSet(readSidecarSet(object)), API_V1BETA1));
  validateAgainstSchema(set);
  formatFieldErrors(validateSidecarSet(set, NO_OTHERS));
  sidecarSetWarnings(set, [set]);
}

const envelopes = fc.record({
  apiVersion: fc.constantFrom(API_V1ALPHA1, API_V1BETA1),
  kind: fc.constant('SidecarSet'),
});

test('an object of the right types is refused in words, never by a crash', () => {
  const objects = fc.tuple(envelopes, arbitraryOf(SIDECARSET.v1alpha1));
  fc.assert(
    fc.property(objects, ([envelope, object]) => {
      expect(() => admit({ ...(object as object), ...envelope })).not.toThrow();
    }),
    { numRuns: 500 },
  );
});

test('an object of any types is unreadable at worst', () => {
  const anything = fc.oneof(fc.jsonValue(), arbitraryOf(SIDECARSET.v1beta1));
  const objects = fc.record({
    metadata: anything,
    spec: fc.dictionary(
      fc.constantFrom('containers', 'volumes', 'selector', 'updateStrategy', 'patchPodMetadata'),
      fc.jsonValue(),
    ),
    status: anything,
  });
  fc.assert(
    fc.property(envelopes, objects, (envelope, object) => {
      try {
        admit({ ...object, ...envelope });
      } catch (error) {
        expect(error).toBeInstanceOf(SidecarSetDecodeError);
      }
    }),
    { numRuns: 500 },
  );
});
