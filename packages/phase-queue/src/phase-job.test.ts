import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PHASES, type PhaseJob, parsePhaseJob, phaseJobId } from './phase-job.js';

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const anyJob: fc.Arbitrary<PhaseJob> = fc.record({
  namespace: name,
  pod: name,
  uid: fc.uuid(),
  sidecarSet: name,
  revision: name,
  phase: fc.constantFrom(...PHASES),
  attempt: fc.nat(),
});

describe('a phase job', () => {
  test('comes back from JSON as it was', () => {
    fc.assert(
      fc.property(anyJob, (job) => {
        expect(parsePhaseJob(JSON.parse(JSON.stringify(job)))).toEqual(job);
      }),
    );
  });

  test('comes back with what was known of the pod when it was picked', () => {
    const [job] = fc.sample(anyJob, 1) as [PhaseJob];
    expect(parsePhaseJob({ ...job, pickedUnready: true })).toEqual({ ...job, pickedUnready: true });
    expect(parsePhaseJob({ ...job, pickedUnready: 'no' })).toEqual(job);
  });

  test('has an id that the same work shares and other work does not', () => {
    fc.assert(
      fc.property(anyJob, anyJob, (one, other) => {
        expect(phaseJobId({ ...one, epoch: 9, traceparent: 'x' })).toBe(phaseJobId(one));
        const key = ({ uid, sidecarSet, revision, phase, attempt }: PhaseJob) => [
          uid,
          sidecarSet,
          revision,
          phase === 'migration' ? 'reset' : phase,
          attempt,
        ];
        const same = JSON.stringify(key(one)) === JSON.stringify(key(other));
        expect(phaseJobId(one) === phaseJobId(other)).toBe(same);
      }),
    );
  });

  test('has an id that BullMQ accepts', () => {
    fc.assert(
      fc.property(anyJob, (job) => {
        expect(phaseJobId(job)).not.toMatch(/:|^\d+$/);
      }),
    );
  });

  test('is never made from anything else', () => {
    fc.assert(
      fc.property(fc.anything(), (data) => {
        expect(parsePhaseJob(data)).toBeUndefined();
      }),
    );
    const job = {
      namespace: 'a',
      pod: 'b',
      uid: 'c',
      sidecarSet: 'd',
      revision: 'e',
      phase: 'upgrade',
      attempt: 0,
    };
    expect(parsePhaseJob({ ...job, phase: 'dance' })).toBeUndefined();
    expect(parsePhaseJob({ ...job, uid: '' })).toBeUndefined();
    expect(parsePhaseJob({ ...job, revision: 'has:colon' })).toBeUndefined();
    expect(parsePhaseJob({ ...job, attempt: 1.5 })).toBeUndefined();
  });
});
