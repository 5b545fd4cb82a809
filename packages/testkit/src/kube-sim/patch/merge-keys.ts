/**
 * Which field tells the items of a list apart, by the list's own name and, where one name is used twice, by what its items hold.
 * From the patch strategies in the types of Kubernetes (kubernetes.io, "Update API Objects in Place Using kubectl patch").
 */
const MERGE_KEYS: Record<string, string[]> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  ports: ['containerPort', 'port'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  imagePullSecrets: ['name'],
  secrets: ['name'],
  conditions: ['type'],
  hostAliases: ['ip'],
  podIPs: ['ip'],
  hostIPs: ['ip'],
  addresses: ['type'],
  taints: ['key'],
  topologySpreadConstraints: ['topologyKey'],
  ownerReferences: ['uid'],
  webhooks: ['name'],
  resourceClaims: ['name'],
};

/** Lists of plain values whose items are merged as a set. */
const PRIMITIVE_SETS = new Set(['finalizers', 'podCIDRs']);

export const isPrimitiveSet = (field: string): boolean => PRIMITIVE_SETS.has(field);

/** The key of a list's items; undefined when the list is replaced as a whole. */
export function mergeKeyOf(field: string, items: readonly unknown[]): string | undefined {
  const keys = MERGE_KEYS[field];
  if (!keys || items.length === 0) return undefined;
  return keys.find((key) =>
    items.every(
      (item) => typeof item === 'object' && item !== null && (Object.hasOwn(item, key) || isListDirective(item)),
    ),
  );
}

const isListDirective = (item: object): boolean =>
  (item as { $patch?: string }).$patch === 'replace' && Object.keys(item).length === 1;
