/**
 * Every word that Sidestep gives as a reason. The same word is the condition's reason, the Event's reason, the metric label and
 * what the CLI prints; docs/reference/reasons.md is generated from this list.
 */

/**
 * Where a reason is shown: in a pod’s upgrade record and the job’s logs, in a SidecarSet’s conditions and `blocked`, or as an
 * Event.
 */
export type ReasonPlace = 'pod' | 'sidecarset' | 'event';

interface ReasonEntry {
  /** What it means, as one sentence for the reader of a status. */
  means: string;
  /** Where it can be seen: pod (the pod's upgrade record and job logs), sidecarset (conditions, `blocked`), event. */
  shows: readonly ReasonPlace[];
}

const entry = (means: string, ...shows: ReasonPlace[]): ReasonEntry => ({ means, shows });

/**
 * The catalogue: each reason with its meaning and where it shows. A word that was released keeps its meaning, since alerts and
 * scripts match on it.
 */
export const REASONS = {
  // One pod: nothing to do
  UpToDate: entry('The pod runs the wanted revision.', 'pod'),
  AwaitingSelection: entry('The pod runs an older revision and waits until the rollout picks it.', 'pod', 'sidecarset'),
  BecameReady: entry(
    'The pod was picked while it was not ready, which takes nothing of maxUnavailable, and became ready before it was begun; it is begun once maxUnavailable has room for it.',
    'pod',
  ),
  PodTerminating: entry('The pod is being deleted or has ended, so it is left alone.', 'pod'),
  NotSelected: entry(
    'The pod carries this SidecarSet, but its selectors do not choose the pod any more: what was begun is finished, nothing is begun.',
    'pod',
    'sidecarset',
  ),
  NotInjected: entry('The pod does not carry this SidecarSet, so it is left alone.', 'pod'),

  // One pod: under way
  ContainerStarting: entry('The new container is not ready yet.', 'pod', 'sidecarset'),
  ContainerNotReady: entry(
    'Another container became unready since the upgrade began; the old sidecar stays until it is ready again.',
    'pod',
    'sidecarset',
  ),
  KubeletCatchingUp: entry('The kubelet has not finished the previous image change of this pod.', 'pod', 'sidecarset'),
  ReadyToReset: entry('The new container serves; the old one is replaced by the empty image.', 'pod'),
  EmptyImageStarting: entry('The old container is being replaced by the empty image.', 'pod', 'sidecarset'),
  BackOffExpected: entry(
    'The kubelet would hold the container in CrashLoopBackOff if its image changed now, so Sidestep waits until it would not.',
    'pod',
    'sidecarset',
  ),
  Superseded: entry('The revision being started is no longer wanted; the pod goes on to the wanted one.', 'pod'),
  SpecWentBack: entry(
    'The SidecarSet went back to what the old container runs, so the old container takes over again.',
    'pod',
    'event',
  ),
  AbortRequested: entry(
    'The rollout was asked to stop; the pod goes back to its old container.',
    'pod',
    'sidecarset',
    'event',
  ),

  // One pod: failed
  WriteRefused: entry(
    'The API server refuses the write of the pod, by a right, a policy or a rule of its own; it is tried again once a minute. Worker logs have it as well.',
    'event',
  ),
  ImagePullFailed: entry(
    'The image of the new container, or the empty image of the old one, cannot be pulled.',
    'pod',
    'sidecarset',
    'event',
  ),
  InvalidImage: entry('The image reference of the new container is invalid.', 'pod', 'sidecarset', 'event'),
  ContainerCannotStart: entry(
    'The container runtime cannot create or start the new container.',
    'pod',
    'sidecarset',
    'event',
  ),
  CrashLoop: entry(
    'The new container keeps exiting, or the kubelet holds it back because it did.',
    'pod',
    'sidecarset',
    'event',
  ),
  PostStartHookFailed: entry(
    'The postStart hook of the new container failed, so it did not take over.',
    'pod',
    'sidecarset',
    'event',
  ),
  DeadlineExceeded: entry('The pod was not done within progressDeadlineSeconds.', 'pod', 'sidecarset', 'event'),
  FailedBefore: entry(
    'This revision failed on this pod and was aborted; it is not begun again until a retry is asked for or the SidecarSet changes.',
    'pod',
    'sidecarset',
  ),
  SidecarUpgradeFailed: entry('A pod failed to upgrade; the message says which container and why.', 'event'),
  SidecarUpgradeAborted: entry('A pod was taken back to its old container.', 'event'),

  // One pod: cannot be managed
  HotContainerMissing: entry('A container of a hot pair is missing from the pod.', 'pod', 'sidecarset'),
  ContainerMissing: entry('A container of the SidecarSet is missing from the pod.', 'pod', 'sidecarset'),
  WorkingPointerMissing: entry(
    'The annotation that names the working container of a hot pair is missing or unreadable.',
    'pod',
    'sidecarset',
  ),
  BothContainersEmpty: entry('Both containers of a hot pair run the empty image.', 'pod', 'sidecarset'),
  WorkingContainerEmpty: entry('The working container of a hot pair runs the empty image.', 'pod', 'sidecarset'),
  AnnotationMalformed: entry('An annotation that records the injected revision cannot be parsed.', 'pod', 'sidecarset'),
  UpdateImmutableField: entry(
    'More than images changed since the pod was created; Kubernetes lets only images change in a running pod, so it must be recreated.',
    'pod',
    'sidecarset',
  ),

  // A SidecarSet: moving
  RollingOut: entry('Pods are being upgraded.', 'sidecarset', 'event'),
  RolloutComplete: entry('Every pod that may be updated runs the wanted revision.', 'sidecarset', 'event'),
  NoMatchingPods: entry('No pod carries this SidecarSet.', 'sidecarset'),
  AllPodsReady: entry('Every matched pod is ready.', 'sidecarset'),
  PodsNotReady: entry(
    'Some matched pods are not ready or not consistent with their spec; upgraded ones hold a slot of maxUnavailable.',
    'sidecarset',
  ),

  // A SidecarSet: waiting
  MaxUnavailableZero: entry('maxUnavailable is 0, so no ready pod can ever be begun.', 'sidecarset', 'event'),
  MaxUnavailableReached: entry('As many pods as maxUnavailable allows are under way.', 'sidecarset'),
  PartitionReached: entry('The remaining pods are held back by partition or by updateStrategy.selector.', 'sidecarset'),
  NotUpdateStrategy: entry('updateStrategy.type is NotUpdate: running pods are not upgraded.', 'sidecarset'),
  Paused: entry('updateStrategy.paused is set: no pod is begun, begun pods are finished.', 'sidecarset', 'event'),
  NotPaused: entry('Nothing holds the rollout back on purpose.', 'sidecarset'),
  StepPause: entry('A canary step waits for its time to pass or for a promotion.', 'sidecarset', 'event'),
  StepInProgress: entry('The pods of the current canary step are not all good yet.', 'sidecarset'),
  WaitingForReadyTime: entry('Upgraded pods have not been ready for minReadySeconds yet.', 'sidecarset'),
  PrePulling: entry('The new image is being brought to the nodes before any pod is begun.', 'sidecarset', 'event'),
  PrePullFailed: entry('The node could not get the new image, so its pods are not begun.', 'sidecarset', 'event'),
  NotUpgradablePods: entry('Some pods cannot be upgraded in place.', 'sidecarset', 'event'),
  QueueUnavailable: entry(
    'The job queue cannot be reached; pods stay as they are until it is back.',
    'sidecarset',
    'event',
  ),

  // A SidecarSet: unwell
  NoFailures: entry('No pod failed to upgrade.', 'sidecarset'),
  PodsFailed: entry(
    'Some pods failed to upgrade, within what failurePolicy tolerates or without one.',
    'sidecarset',
    'event',
  ),
  TooManyFailures: entry(
    'More pods failed than failurePolicy.maxFailures allows, so no more are begun.',
    'sidecarset',
    'event',
  ),
  RollingBack: entry(
    'More pods failed than allowed; all pods go back to the last good revision.',
    'sidecarset',
    'event',
  ),
  RolledBack: entry('The wanted revision failed and every pod is back on the last good one.', 'sidecarset', 'event'),
  NoGoodRevision: entry('A rollback is wanted, but no revision is known to have run well.', 'sidecarset', 'event'),

  // OpenKruise's words, written where OpenKruise writes them
  AllSidecarsetUpgradable: entry(
    'Pod condition SidecarSetUpgradable: every SidecarSet of the pod can be upgraded in place.',
    'pod',
  ),
  ResetContainerSucceed: entry('The old container of a hot pair was replaced by the empty image.', 'event'),
} as const satisfies Record<string, ReasonEntry>;

/** One documented word; see {@link REASONS}. */
export type Reason = keyof typeof REASONS;
