import type { Recipe } from './recipe.js';

/** What the user may choose about what is printed. */
export interface Choices {
  adapter: string;
  /** Of the SidecarSet, and of the label `app` that it selects. */
  name: string;
  image: string;
  emptyImage: string;
  /** The image that the sidecar's is built on: Node and the agent. */
  agentImage: string;
}

/** The image that a SidecarSet names, built on the agent's. */
export function containerfile({ adapter, image, agentImage }: Choices, recipe: Recipe): string {
  const words = ['run', '--adapter', adapter, ...recipe.options, '--', ...recipe.command];
  return `${[
    `# Build: buildah build -t ${image} -f Containerfile .`,
    ...recipe.notes.map((note) => `# ${note}`),
    `FROM ${agentImage}`,
    ...recipe.install,
    '# The entry point is sidestep-agent. No command in the SidecarSet: the empty image would run it, too.',
    `CMD [${words.map((word) => JSON.stringify(word)).join(', ')}]`,
  ].join('\n')}\n`;
}

/** A hot SidecarSet with everything that an upgrade without loss needs. */
export function sidecarSet({ adapter, name, image, emptyImage }: Choices, { drainSeconds }: Recipe): string {
  return `# A hot sidecar with the ${adapter} adapter. Its pods need terminationGracePeriodSeconds: ${drainSeconds + 2} (or more).
# With a digest (NAME@sha256:...) the empty image does not meet the kubelet's back-off when upgrades come often.
apiVersion: apps.kruise.io/v1beta1
kind: SidecarSet
metadata:
  name: ${name}
spec:
  selector:
    matchLabels:
      app: ${name}
  containers:
    - name: ${name}
      image: ${image}
      upgradeStrategy:
        upgradeType: HotUpgrade
        hotUpgradeEmptyImage: ${emptyImage}
      env:
        - name: SIDESTEP_DIR
          value: /run/sidestep
        - name: SIDESTEP_DRAIN_SECONDS
          value: "${drainSeconds}"
      lifecycle:
        postStart:
          exec:
            command: [sidestep-agent, hook]
      volumeMounts:
        - name: sidestep-${name}
          mountPath: /run/sidestep
  volumes:
    # Only the two containers of the pair mount it.
    - name: sidestep-${name}
      emptyDir:
        medium: Memory
  updateStrategy:
    maxUnavailable: 10%
    progressDeadlineSeconds: 120
    failurePolicy:
      maxFailures: 0
      podAction: Abort
      action: Pause
`;
}
