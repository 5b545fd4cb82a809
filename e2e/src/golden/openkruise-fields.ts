import { isObject } from './compare.js';

/**
 * What OpenKruise 1.9 knows of containers and volumes: the types of Kubernetes 1.32, each with its fields. A field followed by a
 * type is looked into; inside the others nothing is held to be unknown.
 */
const FIELDS = readTypes(`
  Container: name image command args workingDir ports=Port envFrom=EnvFrom env=Env resources resizePolicy restartPolicy
    volumeMounts=Mount volumeDevices=Device livenessProbe=Probe readinessProbe=Probe startupProbe=Probe lifecycle=Lifecycle
    terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext=SecurityContext stdin stdinOnce tty
  SidecarContainer: @Container podInjectPolicy upgradeStrategy shareVolumePolicy shareVolumeDevicePolicy transferEnv resourcesPolicy
  Port: name hostPort containerPort protocol hostIP
  EnvFrom: prefix configMapRef secretRef
  Env: name value valueFrom=Source
  Source: fieldRef resourceFieldRef configMapKeyRef secretKeyRef
  Mount: name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr
  Device: name devicePath
  Probe: exec httpGet tcpSocket grpc initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold
    terminationGracePeriodSeconds
  Lifecycle: postStart=Handler preStop=Handler
  Handler: exec httpGet tcpSocket sleep
  SecurityContext: capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot
    readOnlyRootFilesystem allowPrivilegeEscalation procMount seccompProfile appArmorProfile
  Volume: name hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs
    persistentVolumeClaim rbd flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap vsphereVolume quobyte
    azureDisk photonPersistentDisk projected portworxVolume scaleIO storageos csi ephemeral image
`);

export type OpenKruiseType = 'Container' | 'SidecarContainer' | 'Volume';

type Types = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A field maps to its own type, or to an empty text. */
function readTypes(text: string): Types {
  const types = new Map<string, Map<string, string>>();
  for (const [, name = '', list = ''] of text.matchAll(/(\w+):([^:]*?)(?=\n\s*\w+:|$)/g)) {
    const words = list.trim().split(/\s+/);
    const fields = words.flatMap((word) => {
      if (word.startsWith('@')) return [...(types.get(word.slice(1)) ?? [])];
      const [field = '', type = ''] = word.split('=');
      return [[field, type] as const];
    });
    types.set(name, new Map(fields));
  }
  return types;
}

/** The value without the fields that OpenKruise's client drops when it reads it. */
export function withoutNewer(value: unknown, type: OpenKruiseType): unknown {
  return knownPart(value, type);
}

function knownPart(value: unknown, type: string): unknown {
  const fields = FIELDS.get(type);
  if (fields === undefined) return value;
  if (Array.isArray(value)) return value.map((element) => knownPart(element, type));
  if (!isObject(value)) return value;
  const known = Object.entries(value).filter(([key]) => fields.has(key));
  return Object.fromEntries(known.map(([key, held]) => [key, knownPart(held, fields.get(key) ?? '')]));
}

/** The value with those fields of another that OpenKruise's client drops, wherever both have the same element. */
export function withNewerOf(value: unknown, source: unknown, type: OpenKruiseType): unknown {
  return withUnknown(value, source, type);
}

function withUnknown(value: unknown, source: unknown, type: string): unknown {
  const fields = FIELDS.get(type);
  if (fields === undefined) return value;
  if (Array.isArray(value) && Array.isArray(source)) {
    return value.map((element, index) => withUnknown(element, counterpart(element, source, index), type));
  }
  if (!isObject(value) || !isObject(source)) return value;
  const known = Object.entries(value).map(([key, held]) => {
    return [key, fields.has(key) ? withUnknown(held, source[key], fields.get(key) ?? '') : held] as const;
  });
  const unknown = Object.entries(source).filter(([key]) => !fields.has(key));
  return Object.fromEntries([...known, ...unknown]);
}

/** Elements with a name are found by it, others by their place. */
function counterpart(element: unknown, source: unknown[], index: number): unknown {
  if (!isObject(element) || typeof element.name !== 'string') return source[index];
  return source.find((each) => isObject(each) && each.name === element.name);
}
