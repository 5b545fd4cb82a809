import { describe, expect, test } from '@jest/globals';
import { type RecordedWrite, recordedWrites } from '../../../testing/golden.js';
import { lookupOf } from '../../revision/find-revision.js';
import { convertSidecarSet } from '../conversion.js';
import { defaultSidecarSet } from '../defaults/sidecarset.js';
import { formatFieldErrors } from '../field-error.js';
import { KRUISE } from '../keys.js';
import { API_V1BETA1 } from '../versions.js';
import { Whitelist } from '../whitelist.js';
import { validateSidecarSet } from './sidecarset.js';

const WEBHOOK = 'admission webhook "vsidecarset.kb.io" denied the request: ';

/** Addresses of Go structs differ from run to run. */
const masked = (message: string): string => message.replace(/0x[0-9a-f]+/g, '0x…');

function refusal({ written, old, others, whitelist, revisions }: RecordedWrite): string {
  const set = defaultSidecarSet(convertSidecarSet(written, API_V1BETA1));
  const data = whitelist === undefined ? undefined : { [KRUISE.whitelistConfigMapKey]: whitelist };
  const context = { others, revisions: lookupOf(revisions), whitelist: Whitelist.parse(data), ...(old ? { old } : {}) };
  return formatFieldErrors(validateSidecarSet(set, context));
}

/** One error stands alone, several in brackets. */
const errorsIn = (message: string): string[] =>
  message
    .replace(WEBHOOK, '')
    .replace(/^\[(?=spec)|\]$/g, '')
    .split(/, (?=spec[.[])/)
    .filter((error) => error !== '');

describe('validateSidecarSet', () => {
  const writes = recordedWrites();
  const refused = writes.filter(({ outcome }) => outcome.message?.startsWith(WEBHOOK));
  // On purpose, startup probes get the defaults that OpenKruise asks its users to write.
  const isOnPurpose = ({ outcome }: RecordedWrite): boolean => outcome.message?.includes('startupProbe') === true;

  test.each(refused.filter((write) => !isOnPurpose(write)))('refuses $title with the recorded message', (write) => {
    expect(masked(refusal(write))).toBe(masked(write.outcome.message?.slice(WEBHOOK.length) ?? ''));
  });

  test.each(refused.filter(isOnPurpose))('refuses $title for what else is wrong, if anything', (write) => {
    const others = errorsIn(write.outcome.message ?? '').filter((error) => !error.includes('startupProbe'));
    expect(errorsIn(masked(refusal(write)))).toEqual(others.map(masked));
  });

  test.each(writes.filter(({ outcome }) => outcome.stored !== undefined))('accepts $title, as recorded', (write) => {
    expect(refusal(write)).toBe('');
  });
});
