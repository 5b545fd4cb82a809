import type { SidecarSet } from '@sidestep/core';
import { differences } from './compare.js';
import type { AdmissionCase, ExpectedAdmission, ExpectedWrite, Step } from './golden-case.js';
import { GoldenCluster } from './golden-cluster.js';
import type { Judgeable } from './judge.js';
import { actualAnswer, actualWrite, expectedAnswer, expectedWrite } from './normalise.js';

/** Replays a case: writes its SidecarSets and admits its pods, and pairs each answer with OpenKruise's. */
export function runAdmissionCase(content: AdmissionCase): Judgeable[] {
  const { sidecarSets = [], steps = [], expected } = content;
  const replay = new AdmissionReplay(content);
  const writes = sidecarSets.flatMap((set, index) => {
    return replay.write(set, expected?.sidecarSets?.[index], `SidecarSet ${set.metadata.name}`);
  });
  const admissions = [
    ...replay.admit(expected?.pod?.admission, 'pod', expected?.pod?.orders),
    ...replay.admit(expected?.admission, 'pod'),
  ];
  return [...writes, ...admissions, ...steps.flatMap((step, index) => replay.step(step, index))];
}

class AdmissionReplay {
  private readonly cluster: GoldenCluster;
  private readonly sidecarSets: SidecarSet[];

  constructor({ extraObjects, sidecarSets = [], steps = [] }: AdmissionCase) {
    this.cluster = new GoldenCluster(extraObjects);
    this.sidecarSets = [...sidecarSets, ...steps.flatMap((step) => (step.op === 'pod' ? [] : [step.object]))];
  }

  step(step: Step, index: number): Judgeable[] {
    const subject = `step ${index + 1} (${step.op})`;
    if (step.op === 'pod') return this.admit(step.expected.admission, subject, step.expected.orders);
    return this.write(step.object, step.expected, subject);
  }

  write(set: SidecarSet, expected: ExpectedWrite | undefined, subject: string): Judgeable[] {
    const answer = this.cluster.write(set);
    if (expected === undefined) return [];
    const served = 'stored' in answer ? this.cluster.served(answer.stored) : undefined;
    const comparison = { subject, expected: expectedWrite(expected), actual: actualWrite(answer, served) };
    return [{ comparison, facts: { sidecarSets: this.sidecarSets } }];
  }

  /** @param orders other pods that OpenKruise answered the same request with */
  admit(admission: ExpectedAdmission | undefined, subject: string, orders: readonly unknown[] = []): Judgeable[] {
    if (admission === undefined) return [];
    const expectedName = admission.response.patched?.metadata.name;
    const actual = JSON.parse(JSON.stringify(actualAnswer(this.cluster.admit(admission.request), expectedName)));
    const answers = [expectedAnswer(admission), ...orders.map((patched) => ({ allowed: true, patched }))];
    const expected = answers.find((answer) => differences(answer, actual).length === 0) ?? answers[0];
    return [{ comparison: { subject, expected, actual }, facts: { sidecarSets: this.sidecarSets, admission } }];
  }
}
