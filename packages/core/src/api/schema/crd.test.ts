import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { CRD_FILE, crdText } from '../../../scripts/crd-text.mjs';
import { recordedWrites } from '../../../testing/golden.js';
import { invalidSidecarSetMessage, validateAgainstSchema } from '../validation/schema.js';
import { sidecarSetCrd } from './crd.js';

describe('the CustomResourceDefinition', () => {
  test('is in deploy/crds as the code has it', () => {
    const file = readFileSync(new URL(`../../../../../${CRD_FILE}`, import.meta.url), 'utf8');
    expect(file).toBe(crdText(sidecarSetCrd()));
  });

  test.each(sidecarSetCrd().spec.versions)(
    'shows the columns of OpenKruise 1.9 in $name, and ours only behind them',
    (version) => {
      const columns = version.additionalPrinterColumns.map(({ name, jsonPath, ...rest }) => ({
        name,
        jsonPath,
        isWide: 'priority' in rest && rest.priority === 1,
      }));
      expect(columns.filter(({ isWide }) => !isWide).map(({ name, jsonPath }) => [name, jsonPath])).toEqual([
        ['MATCHED', '.status.matchedPods'],
        ['UPDATED', '.status.updatedPods'],
        ['READY', '.status.readyPods'],
        ['AGE', '.metadata.creationTimestamp'],
      ]);
      expect(columns.slice(4).every(({ isWide }) => isWide)).toBe(true);
    },
  );

  const writes = recordedWrites();

  test.each(writes.filter(({ outcome }) => outcome.message?.startsWith('SidecarSet.apps.kruise.io')))(
    'refuses $title in the API server’s words',
    ({ written, outcome }) => {
      expect(invalidSidecarSetMessage(written, validateAgainstSchema(written))).toBe(outcome.message);
    },
  );

  test.each(writes.filter(({ outcome }) => outcome.stored !== undefined))(
    'accepts $title as written and as stored',
    ({ written, outcome }) => {
      expect(validateAgainstSchema(written)).toEqual([]);
      expect(validateAgainstSchema(outcome.stored!.v1beta1)).toEqual([]);
      expect(validateAgainstSchema(outcome.stored!.v1alpha1)).toEqual([]);
    },
  );
});
