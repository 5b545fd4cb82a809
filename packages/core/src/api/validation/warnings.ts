import { containerNamesInPod, initContainerNamesInPod, isHotUpgrade, isNativeSidecar } from '../container-kinds.js';
import { parseImageReference } from '../defaults/image-reference.js';
import type { SidecarContainer, SidecarSet } from '../sidecarset.js';
import { sidecarSetsOverlap } from './conflicts.js';
import { recordsOf } from './fields.js';

/** A container's name has at most 63 characters, two of which a hot pair takes. */
const LONGEST_HOT_NAME = 61;

/**
 * What is allowed and will hardly be meant, one sentence each, for `AdmissionResponse.warnings`. The set is v1beta1 and has its
 * defaults; `others` are the SidecarSets of the cluster.
 */
export function sidecarSetWarnings(set: SidecarSet, others: Iterable<SidecarSet>): string[] {
  return [
    ...strategyWarnings(set),
    ...impatience(set),
    ...(set.spec.containers ?? []).flatMap((container, i) => hotWarnings(container, `spec.containers[${i}]`)),
    ...(set.spec.initContainers ?? []).flatMap((container, i) => initWarnings(container, `spec.initContainers[${i}]`)),
    ...crossingNames(set, others),
  ];
}

/** What the deletion of a SidecarSet leaves behind, for `AdmissionResponse.warnings`; empty when nothing. */
export function deletionWarnings({ status }: SidecarSet): string[] {
  // Whoever may write the status may have written anything.
  const count: unknown = status?.upgradingPods;
  if (!Number.isSafeInteger(count) || (count as number) <= 0) return [];
  const [pods, they] = count === 1 ? ['1 pod is', 'it stays'] : [`${count} pods are`, 'they stay'];
  return [
    `${pods} half way through an upgrade, and nobody finishes it without this SidecarSet: ${they} with two live sidecars, or with one that ` +
      'does not start, until made anew or until a SidecarSet of this name is created again',
  ];
}

function strategyWarnings({ spec: { updateStrategy: strategy = {} } }: SidecarSet): string[] {
  const warnings: string[] = [];
  const { type, maxUnavailable, steps, partition } = strategy;
  if (type !== 'RollingUpdate' && type !== 'NotUpdate') {
    warnings.push(`spec.updateStrategy.type: "${type}" is not known and works as RollingUpdate, unchecked`);
  }
  if (maxUnavailable === 0 || maxUnavailable === '0%') {
    warnings.push('spec.updateStrategy.maxUnavailable: with 0 no pod is ever upgraded');
  }
  if (steps?.length && partition !== undefined && partition !== 0 && partition !== '0%') {
    warnings.push('spec.updateStrategy.steps: the partition holds back pods after the last step, too');
  }
  return warnings;
}

/** Seconds that `sidestep-agent hook` waits unless told otherwise. */
const HOOK_SECONDS = 60;

/** How long the postStart hook of a container may take, where that can be read off its command. */
function hookSecondsOf({ lifecycle }: SidecarContainer): number | undefined {
  const { postStart } = (lifecycle ?? {}) as { postStart?: { exec?: { command?: unknown } } };
  const command = postStart?.exec?.command;
  if (!Array.isArray(command)) return undefined;
  const words = command.map(String);
  const at = words.findIndex((word, i) => /(^|\/)sidestep-agent$/.test(word) && words[i + 1] === 'hook');
  if (at < 0) return undefined;
  const flag = words.slice(at + 2).findIndex((word) => /^--timeout(=|$)/.test(word));
  if (flag < 0) return HOOK_SECONDS;
  const [given = '', next = ''] = words.slice(at + 2 + flag);
  const seconds = Number(given.includes('=') ? given.slice('--timeout='.length) : next);
  return seconds > 0 ? seconds : undefined;
}

/** A kubelet does nothing else for a pod until its hook has ended, so a deadline that is over before cannot be acted on. */
function impatience({ spec }: SidecarSet): string[] {
  const deadline = spec.updateStrategy?.progressDeadlineSeconds;
  if (typeof deadline !== 'number') return [];
  const hot = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].filter(isHotUpgrade);
  return hot.flatMap((container) => {
    const seconds = hookSecondsOf(container);
    if (seconds === undefined || deadline > seconds) return [];
    return [
      `spec.updateStrategy.progressDeadlineSeconds: the postStart hook of ${container.name} may take ${seconds} s, in which the kubelet can abort nothing; give more than that and the pods' grace period together, or the hook a shorter --timeout`,
    ];
  });
}

function hotWarnings(container: SidecarContainer, path: string): string[] {
  const { upgradeType, hotUpgradeEmptyImage } = container.upgradeStrategy ?? {};
  // A null in a manifest gets here, whatever the type says.
  const empty = hotUpgradeEmptyImage ?? '';
  const at = `${path}.upgradeStrategy`;
  if (!isHotUpgrade(container)) {
    return upgradeType === 'ColdUpgrade'
      ? []
      : [`${at}.upgradeType: "${upgradeType}" is not known and works as ColdUpgrade`];
  }
  const warnings: string[] = [];
  if (empty === '') warnings.push(`${at}.hotUpgradeEmptyImage: without an empty image every matching pod is refused`);
  else if (parseImageReference(empty)?.digest === undefined) {
    warnings.push(
      `${at}.hotUpgradeEmptyImage: give a digest (image@sha256:...), else frequent upgrades meet the kubelet's back-off and wait`,
    );
  }
  if (container.command?.length) {
    warnings.push(
      `${path}.command: the empty image of a hot sidecar runs this command too, as it cannot change in a pod`,
    );
  }
  if (recordsOf(container.ports).some((port) => port.hostPort)) {
    warnings.push(`${path}.ports: both halves of a hot sidecar ask for its hostPort, so every matching pod is refused`);
  }
  if (Buffer.byteLength(container.name) > LONGEST_HOT_NAME) {
    warnings.push(`${path}.name: "${container.name}-1" is longer than a name may be, so every matching pod is refused`);
  }
  return warnings;
}

function initWarnings(container: SidecarContainer, path: string): string[] {
  if (isNativeSidecar(container)) return hotWarnings(container, path);
  return isHotUpgrade(container)
    ? [`${path}.upgradeStrategy: only init containers that keep running are upgraded`]
    : [];
}

/** Init containers and containers of two sets are not compared by the rules, but in one pod they need different names. */
function crossingNames(set: SidecarSet, others: Iterable<SidecarSet>): string[] {
  const warnings: string[] = [];
  const names = { containers: namesOf(set, 'containers'), initContainers: namesOf(set, 'initContainers') };
  for (const other of others) {
    if (other.metadata.name === set.metadata.name || !sidecarSetsOverlap(set, other)) continue;
    const crossing = [
      ...names.containers.filter((name) => namesOf(other, 'initContainers').includes(name)),
      ...names.initContainers.filter((name) => namesOf(other, 'containers').includes(name)),
    ];
    for (const name of new Set(crossing)) {
      warnings.push(
        `spec: container ${name} has the name of a container of SidecarSet ${other.metadata.name}; a pod that gets both is refused`,
      );
    }
  }
  return warnings;
}

function namesOf({ spec }: SidecarSet, list: 'containers' | 'initContainers'): string[] {
  return (spec[list] ?? []).flatMap(list === 'containers' ? containerNamesInPod : initContainerNamesInPod);
}
