import { isNativeSidecar, type PodCondition, type PodObject, type PodStatus, wholeSeconds } from './pod-spec.js';

export interface ConditionsInput {
  pod: PodObject;
  /** The new status, still without conditions. */
  status: PodStatus;
  initialized: boolean;
  previous: PodStatus;
  nowMs: number;
}

type Finding = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/**
 * The conditions that a kubelet owns (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions). A
 * condition keeps its transition time as long as its status stays.
 */
export function podConditions(input: ConditionsInput): PodCondition[] {
  const findings: Finding[] = [
    { type: 'PodReadyToStartContainers', status: 'True' },
    initializedFinding(input),
    readyFinding(input),
    containersFinding(input),
    { type: 'PodScheduled', status: 'True' },
  ];
  return findings.map((finding) => {
    const before = input.previous.conditions?.find((condition) => condition.type === finding.type);
    const kept = before?.status === finding.status ? before.lastTransitionTime : undefined;
    return { ...finding, lastProbeTime: null, lastTransitionTime: kept ?? wholeSeconds(input.nowMs) };
  });
}

function initializedFinding({ status, initialized }: ConditionsInput): Finding {
  if (initialized) return { type: 'Initialized', status: 'True' };
  const names = (status.initContainerStatuses ?? []).filter(({ ready }) => !ready).map(({ name }) => name);
  return {
    type: 'Initialized',
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names.join(' ')}]`,
  };
}

function containersFinding({ pod, status }: ConditionsInput): Finding {
  const type = 'ContainersReady';
  if (status.phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (status.phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const sidecars = (pod.spec.initContainers ?? []).filter(isNativeSidecar).map(({ name }) => name);
  const counted = [
    ...(status.initContainerStatuses ?? []).filter(({ name }) => sidecars.includes(name)),
    ...(status.containerStatuses ?? []),
  ];
  const unready = counted.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { type, status: 'True' };
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { type, status: 'False', reason: 'ContainersNotReady', message };
}

function readyFinding(input: ConditionsInput): Finding {
  const containers = containersFinding(input);
  if (containers.status !== 'True') return { ...containers, type: 'Ready' };
  // Readiness gates are others' conditions: they are read from the pod as the API server has it.
  const missing = (input.pod.spec.readinessGates ?? []).filter(
    ({ conditionType }) => input.pod.status?.conditions?.find(({ type }) => type === conditionType)?.status !== 'True',
  );
  if (missing.length === 0) return { type: 'Ready', status: 'True' };
  const names = missing.map(({ conditionType }) => `"${conditionType}"`).join(', ');
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: `conditions not True: ${names}` };
}
