import { type InjectionPlan, type Pod, planInjection } from '@sidestep/core';
import type { ClusterView } from '../cluster/cluster-view.js';
import { misdirection, POD_CREATIONS } from './addressee.js';
import { badRequest } from './answers.js';
import { podShapeProblem } from './pod-shape.js';
import type { AdmissionAnswer, AdmissionRequest } from './review.js';

/** How long a pod waits for its namespace's labels; far below the time-out of the webhook. */
const NAMESPACE_WAIT_MS = 1_000;

export interface MutatePodOptions {
  view: ClusterView;
  now: () => Date;
  /** Told of each SidecarSet given to a pod that is really created. */
  onInjected: (sidecarSets: readonly string[]) => void;
}

/** Adds sidecars to a pod that is being created. Calls nobody: everything it needs is in memory. */
export async function mutatePod(request: AdmissionRequest, options: MutatePodOptions): Promise<AdmissionAnswer> {
  const misdirected = misdirection(request, POD_CREATIONS);
  if (misdirected) return badRequest(misdirected);
  if (request.subResource || request.operation !== 'CREATE') return { allowed: true };
  const problem = podShapeProblem(request.object);
  if (problem) return badRequest(`the object cannot be read as a Pod: ${problem}`);
  const plan = await planned(request, request.object as Pod, options);
  if (!request.dryRun && plan.injected.length > 0) options.onInjected(plan.injected);
  return { allowed: true, patch: plan.patch, warnings: warningsOf(plan) };
}

async function planned(request: AdmissionRequest, pod: Pod, { view, now }: MutatePodOptions): Promise<InjectionPlan> {
  const namespace = request.namespace ?? pod.metadata.namespace ?? '';
  const plan = () =>
    planInjection({
      pod,
      namespace,
      namespaceLabels: view.namespaceLabels(namespace),
      sidecarSets: view.sidecarSets,
      revisions: view.revisions,
      requestUid: request.uid,
      now: now(),
    });
  const first = plan();
  if (!first.skipped.some(({ reason }) => reason === 'NamespaceUnknown')) return first;
  await view.namespaceKnown(namespace, NAMESPACE_WAIT_MS);
  return plan();
}

/** Who chose to leave a set out knows it; a set left out for want of knowledge must be told. */
function warningsOf({ warnings, skipped }: InjectionPlan): readonly string[] {
  const unknown = skipped.filter(({ reason }) => reason === 'NamespaceUnknown');
  if (unknown.length === 0) return warnings;
  return [
    ...warnings,
    ...unknown.map(({ sidecarSet, message }) => `SidecarSet ${sidecarSet} was not injected: ${message}`),
  ];
}
