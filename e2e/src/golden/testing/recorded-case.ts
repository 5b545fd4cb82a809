import type { Pod, SidecarSet } from '@sidestep/core';
import { admitted, posted } from '../api-server-pod.js';
import type { AdmissionCase, ExpectedPod, ExpectedWrite, Step } from '../golden-case.js';
import { GoldenCluster, type WriteAnswer } from '../golden-cluster.js';
import { judge, type Verdict } from '../judge.js';
import { normalisedPod } from '../normalise.js';
import { ON_PURPOSE } from '../on-purpose/rules.js';
import { runAdmissionCase } from '../run-admission-case.js';

const COUNTERS = ['observedGeneration', 'matchedPods', 'updatedPods', 'readyPods', 'latestRevision', 'collisionCount'];

/** What is posted, in turn. */
export type Posted = SidecarSet | Pod;

const isPod = (object: Posted): object is Pod => object.kind === 'Pod';

/**
 * A sequence recorded of an OpenKruise that answers just as we do, in OpenKruise's form: a test changes in it what OpenKruise
 * would have answered otherwise.
 */
export function recordedCase(...objects: Posted[]): AdmissionCase & { steps: Step[] } {
  const cluster = new GoldenCluster();
  const written = new Set<string>();
  const steps = objects.map((object): Step => {
    if (isPod(object)) return { op: 'pod', object, expected: recordedPod(cluster, object) };
    const name = object.metadata.name ?? '';
    const op = written.has(name) ? 'update' : 'create';
    written.add(name);
    return { op, object, expected: recordedWrite(cluster, cluster.write(object)) };
  });
  return JSON.parse(JSON.stringify({ steps }));
}

function recordedWrite(cluster: GoldenCluster, answer: WriteAnswer): ExpectedWrite {
  if (!('stored' in answer)) {
    const { status, message, reason, details } = answer;
    if (reason !== undefined) return { status, message, reason, details };
    return { status: 500, message: `admission webhook "vsidecarset.kb.io" denied the request: ${message}` };
  }
  const { v1beta1, v1alpha1 } = cluster.served(answer.stored);
  const annotations = answer.stored.metadata.annotations ?? {};
  return {
    status: answer.status,
    hash: annotations['kruise.io/sidecarset-hash'] ?? '',
    hashWithoutImage: annotations['kruise.io/sidecarset-hash-without-image'] ?? '',
    stored: { v1beta1: withCounters(v1beta1), v1alpha1: withCounters(v1alpha1) },
    controllerRevisions: answer.revisions.map(({ metadata, revision, data }) => {
      return { ...metadata, name: metadata.name ?? '', revision, data };
    }),
  };
}

function withCounters(set: SidecarSet): SidecarSet {
  const status = Object.entries(set.status ?? {}).filter(([key]) => COUNTERS.includes(key));
  return { ...set, status: Object.fromEntries(status) } as SidecarSet;
}

function recordedPod(cluster: GoldenCluster, pod: Pod): ExpectedPod {
  const request = { uid: '1', namespace: pod.metadata.namespace ?? 'default', object: posted(pod) };
  const answer = cluster.admit(request);
  if (!answer.allowed) {
    const { message } = answer.status;
    const error = { status: 500, message: `admission webhook "mpod.kb.io" denied the request: ${message}` };
    return { status: 500, error, admission: { request, response: { allowed: false, status: { message, code: 500 } } } };
  }
  const response = { allowed: true, patched: normalisedPod(answer.patched) as Pod };
  const kept = admitted(answer.patched, request.object);
  return { status: 201, pod: normalisedPod(kept) as Pod, podRaw: kept, admission: { request, response } };
}

/** The differences that a case shows, by subject, and the rules that explained others. */
export function verdictOf(content: AdmissionCase): { left: string[]; rules: string[] } {
  const verdicts = runAdmissionCase(content).map((step): Verdict => judge(step, ON_PURPOSE));
  const left = verdicts.flatMap(({ subject, differences }) => differences.map(({ path }) => `${subject}: ${path}`));
  return {
    left,
    rules: [...new Set(verdicts.flatMap(({ onPurpose }) => onPurpose))].filter((name) => name !== 'status says more'),
  };
}

/** A copy of the case with every string of one step's answer passed through `change`. */
export function answeredAs<C extends { steps: Step[] }>(content: C, index: number, change: (answer: never) => void): C {
  const copy = structuredClone(content);
  change(copy.steps[index]?.expected as never);
  return copy;
}

/** A SidecarSet for pods of the app `shop`. */
export function aSet(name: string, spec: SidecarSet['spec'], more: Partial<SidecarSet> = {}): SidecarSet {
  const selector = { matchLabels: { app: 'shop' } };
  return {
    apiVersion: 'apps.kruise.io/v1beta1',
    kind: 'SidecarSet',
    metadata: { name },
    spec: { selector, ...spec },
    ...more,
  };
}

/** A pod of that app. */
export function aPod(name: string, spec: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'golden', labels: { app: 'shop' }, ...metadata },
    spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec },
  };
}
