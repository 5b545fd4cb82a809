import { describe, expect, test } from '@jest/globals';
import { recordedAnswers } from '../../../../testing/recorded-answers.js';
import { formatFieldError } from '../../field-error.js';
import type { SidecarSetSpec } from '../../sidecarset.js';
import { validateAsPod } from './pod.js';

interface Answer {
  name: string;
  spec: SidecarSetSpec;
  errors: string[];
}

describe('sidecars held to the rules for pods', () => {
  test.each(recordedAnswers<Answer>('kubernetes-1.32-pod-validation.jsonl'))(
    'give the errors of Kubernetes, in its order, for $name',
    ({ spec, errors }) => {
      const mine = validateAsPod(spec).map((error) => formatFieldError(error).replace(/0x[0-9a-f]+/g, '0x…'));
      expect(mine).toEqual(errors);
    },
  );
});
