import { createHash } from 'node:crypto';
import { SIDESTEP } from '../api/keys.js';
import type { ContainerStatus, Pod } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { API_V1BETA1 } from '../api/versions.js';
import type { NodeImageState, PrePullRequest } from './types.js';

/** A pull that is not done by then has failed; the node may be gone, or the registry slow for good. */
export const PULL_DEADLINE_MS = 300_000;

/** The kubelet's words for a container that waits although its image is there. */
const PULLED_BUT_WAITING: readonly string[] = ['CreateContainerError', 'RunContainerError', 'CrashLoopBackOff'];

const CANNOT_PULL: readonly string[] = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
];

/**
 * A pod that does nothing but make the kubelet of one node pull one image. Its name follows from both, so asking twice makes one.
 * The SidecarSet's pull secrets must exist in `namespace` too. It is owned by the SidecarSet, and goes with it.
 */
export function pullPod({ node, image }: PrePullRequest, sidecarSet: SidecarSet, namespace: string): Pod {
  const name = `sidestep-pull-${createHash('sha256').update(`${node}\n${image}`).digest('hex').slice(0, 16)}`;
  const { imagePullSecrets } = sidecarSet.spec;
  const { name: owner = '', uid } = sidecarSet.metadata;
  const ownerReferences = [{ apiVersion: API_V1BETA1, kind: 'SidecarSet', name: owner, uid: uid ?? '' }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { 'app.kubernetes.io/part-of': 'sidestep', [SIDESTEP.pull]: 'true' },
      annotations: { [SIDESTEP.pullImage]: image },
      ...(uid === undefined ? {} : { ownerReferences }),
    },
    spec: {
      nodeName: node,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: [{ operator: 'Exists' }],
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
      ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
      containers: [
        {
          name: 'pull',
          image,
          imagePullPolicy: 'IfNotPresent',
          // Ends at once where the image has such a program, and cannot start where it has not: the image is there in both cases.
          command: ['true'],
          resources: { requests: { cpu: '1m', memory: '4Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
          },
        },
      ],
    },
  };
}

/** What a pull pod is about; undefined for a pod that is none. */
export function pullRequestOf({ metadata, spec }: Pod): PrePullRequest | undefined {
  const image = metadata.annotations?.[SIDESTEP.pullImage];
  if (metadata.labels?.[SIDESTEP.pull] !== 'true' || image === undefined || spec.nodeName === undefined)
    return undefined;
  return { node: spec.nodeName, image };
}

/** Name of the SidecarSet that asked for the pull pod, which may be gone; undefined when none says that it did. */
export function pullOwnerOf({ metadata }: Pod): string | undefined {
  return metadata.ownerReferences?.find(({ kind }) => kind === 'SidecarSet')?.name;
}

/** What a pull pod tells of its image on its node. `present` and `failed` by its deadline are final: the pod can go. */
export function pullStateOf(pod: Pod, now: Date): { state: NodeImageState; final: boolean } {
  const container = pod.status?.containerStatuses?.[0];
  if (container !== undefined && isPulled(container)) return { state: 'present', final: true };
  const created = Date.parse(pod.metadata.creationTimestamp ?? '');
  const late = now.getTime() - created >= PULL_DEADLINE_MS || pod.status?.phase === 'Failed';
  if (late) return { state: 'failed', final: true };
  return { state: CANNOT_PULL.includes(waitingReason(container)) ? 'failed' : 'pulling', final: false };
}

const waitingReason = (container: ContainerStatus | undefined): string => container?.state?.waiting?.reason ?? '';

const isPulled = (container: ContainerStatus): boolean =>
  container.state?.running !== undefined ||
  container.state?.terminated !== undefined ||
  PULLED_BUT_WAITING.includes(waitingReason(container));
