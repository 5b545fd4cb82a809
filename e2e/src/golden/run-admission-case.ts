import type { Pod, SidecarSet } from '@sidestep/core';
import { posted, reachesWebhook } from './api-server-pod.js';
import { CaseFormError } from './checks.js';
import type { AdmissionCase, ExpectedAdmission, ExpectedPod, ExpectedWrite, Step } from './golden-case.js';
import { GoldenCluster, type PodAnswer, type PodRequest, type WriteAnswer } from './golden-cluster.js';
import type { Judgeable } from './judge.js';
import { actualAnswer, actualWrite, expectedAnswer, expectedWrite } from './normalise.js';
import type { RecordedWrite } from './on-purpose/rule.js';
import { demandAnswerOf, demandSamePod } from './recorded-admission.js';
import { inOrder } from './recorded-orders.js';
import { serverAnswers } from './server-answer.js';

/** Replays a case: writes its SidecarSets and admits its pods, and pairs each answer with OpenKruise's. */
export function runAdmissionCase(content: AdmissionCase): Judgeable[] {
  const { sidecarSets, steps, expected, pod } = content;
  const replay = new AdmissionReplay(content);
  const writes = (sidecarSets ?? []).flatMap((set, index) => {
    return replay.write(set, expected?.sidecarSets?.[index], `SidecarSet ${set.metadata.name}`);
  });
  const pods = [
    ...(expected?.pod ? replay.pod(expected.pod, pod, 'pod') : []),
    ...(expected?.admission ? replay.pod({ admission: expected.admission }, pod, 'pod') : []),
  ];
  return [...writes, ...pods, ...(steps ?? []).flatMap((step, index) => replay.step(step, index))];
}

class AdmissionReplay {
  private cluster: GoldenCluster;
  private writes: RecordedWrite[] = [];

  constructor({ extraObjects }: AdmissionCase) {
    this.cluster = new GoldenCluster(extraObjects ?? []);
  }

  step(step: Step, index: number): Judgeable[] {
    const subject = `step ${index + 1} (${step.op})`;
    if (step.op === 'pod') return this.pod(step.expected, step.object, subject);
    return this.write(step.object, step.expected, subject);
  }

  write(set: SidecarSet, expected: ExpectedWrite | undefined, subject: string): Judgeable[] {
    if (expected?.name !== undefined && expected.name !== set.metadata.name)
      throw answersAnother(expected.name, subject);
    const before = this.cluster.copy();
    const answer = this.cluster.write(set);
    this.writes = [...this.writes, { posted: set, ...(expected ? { recorded: expected } : {}) }];
    if (expected === undefined) return [];
    this.follow(before, answer, expected);
    const inForm = (each: WriteAnswer): unknown => actualWrite(each, (stored) => before.served(stored), expected);
    const comparison = { subject, expected: expectedWrite(expected), actual: inForm(answer) };
    const writeInstead = (instead: SidecarSet, without: readonly string[] = []): unknown =>
      inForm(before.without(without).write(instead));
    return [{ comparison, facts: { writes: this.writes, writeInstead } }];
  }

  /** Where only one of the two took the object, the rest of the case goes on from OpenKruise's cluster. */
  private follow(before: GoldenCluster, answer: WriteAnswer, expected: ExpectedWrite): void {
    const isAcceptedThere = expected.status < 300;
    if (isAcceptedThere === 'stored' in answer) return;
    this.cluster = before.copy();
    if (isAcceptedThere) this.cluster.adopt(expected);
  }

  /** Compares what the webhook answered, and what the API server made of it. */
  pod(expected: ExpectedPod, sent: Pod | undefined, subject: string): Judgeable[] {
    const { admission, webhookCalled } = expected;
    if (admission && sent) demandSamePod(sent, admission.request.object, `the request of ${subject}`);
    if (admission) demandAnswerOf(admission, subject);
    const request = requestOf(admission, sent);
    const namespaceLabels = this.cluster.namespaceLabels(request.namespace);
    const isReached = webhookCalled !== false && reachesWebhook(namespaceLabels);
    const parts = serverAnswers(expected, request, isReached).map(({ subject: part, expected: recorded, inForm }) => {
      return this.admission({ subject: `${subject}, ${part}`, expected: recorded, inForm }, request, admission);
    });
    if (admission === undefined) return parts;
    const answered = { subject, expected: expectedAnswer(admission), inForm: actualAnswer };
    return [this.admission(answered, request, admission), ...parts];
  }

  private admission(
    { subject, expected, inForm }: { subject: string; expected: unknown; inForm: (answer: PodAnswer) => unknown },
    request: PodRequest,
    admission: ExpectedAdmission | undefined,
  ): Judgeable {
    const { cluster } = this;
    const alternatives = (admission?.orders ?? []).flatMap((order) => inOrder(expected, order) ?? []);
    const comparison = { subject, expected, alternatives, actual: inForm(cluster.admit(request)) };
    const pod = {
      request: request.object,
      namespace: request.namespace,
      uid: request.uid,
      admitInstead: ({ object, change }: { object?: Pod; change?: Parameters<GoldenCluster['admit']>[1] }): unknown =>
        inForm(cluster.admit(object === undefined ? request : { ...request, object }, change)),
    };
    return { comparison, facts: { writes: this.writes, pod } };
  }
}

/** What the webhook got: recorded, or worked out from what was sent. */
function requestOf(admission: ExpectedAdmission | undefined, sent: Pod | undefined): PodRequest {
  const object = admission?.request.object ?? (sent && posted(sent));
  if (object === undefined)
    throw new CaseFormError('pod is missing; allowed is the pod that was sent, or expected.pod.admission');
  const { uid, namespace = object.metadata.namespace ?? 'default' } = admission?.request ?? {};
  return { namespace, object, ...(uid === undefined ? {} : { uid }) };
}

const answersAnother = (name: string, subject: string): CaseFormError =>
  new CaseFormError(
    `the answer to ${subject} is about ${JSON.stringify(name)}; allowed is the name of what was posted`,
  );
