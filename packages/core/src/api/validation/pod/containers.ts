import { duplicate, type FieldError, forbidden, invalid, notSupported, required, Verbatim } from '../../field-error.js';
import { type Fields, forEachIndex, invalidForEach, isSet, listOf, recordOf, recordsOf, textOf } from '../fields.js';
import { checkDnsLabel } from '../names.js';
import { validateEnv, validateEnvFrom } from './env.js';
import { validateLifecycle, validateProbes } from './handlers.js';
import { type Volumes, validateVolumeDevices, validateVolumeMounts } from './mounts.js';
import { validateHostPorts, validatePorts } from './ports.js';
import { validateResizePolicy, validateResources } from './resources.js';
import { validateSecurityContext } from './security-context.js';

const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

/** A required word out of a few. */
export function validateWord(value: unknown, allowed: readonly string[], path: string): FieldError[] {
  const word = textOf(value);
  if (word === '') return [required(path)];
  return allowed.includes(word) ? [] : [notSupported(path, word, allowed)];
}

/** What holds for containers of every kind. */
function validateContainer(container: Fields, volumes: Volumes, path: string): FieldError[] {
  const name = textOf(container.name);
  return [
    ...(name === '' ? [required(`${path}.name`)] : invalidForEach(`${path}.name`, name, checkDnsLabel(name))),
    ...(textOf(container.image) === '' ? [required(`${path}.image`)] : []),
    ...validateWord(container.terminationMessagePolicy, MESSAGE_POLICIES, `${path}.terminationMessagePolicy`),
    ...validatePorts(container.ports, `${path}.ports`),
    ...validateEnv(container.env, `${path}.env`),
    ...validateEnvFrom(container.envFrom, `${path}.envFrom`),
    ...validateVolumeMounts(container, volumes, `${path}.volumeMounts`),
    ...validateVolumeDevices(container, volumes, `${path}.volumeDevices`),
    ...validateWord(container.imagePullPolicy, PULL_POLICIES, `${path}.imagePullPolicy`),
    ...validateResources(recordOf(container.resources), `${path}.resources`),
    ...validateResizePolicy(container.resizePolicy, `${path}.resizePolicy`),
    ...validateSecurityContext(container.securityContext, `${path}.securityContext`),
  ];
}

/** `spec.containers` of a pod. */
export function validateContainers(containers: unknown, volumes: Volumes, path: string): FieldError[] {
  const names = new Set<string>();
  const errors = forEachIndex(containers, path, (container, at) => {
    const name = textOf(container.name);
    const repeated = names.has(name) ? [duplicate(`${at}.name`, name)] : [];
    names.add(name);
    return [
      ...validateContainer(container, volumes, at),
      ...repeated,
      ...validateLifecycle(container.lifecycle, `${at}.lifecycle`),
      ...validateProbes(container, at),
      ...(isSet(container.restartPolicy)
        ? [forbidden(`${at}.restartPolicy`, 'may not be set for non-init containers')]
        : []),
    ];
  });
  return [...errors, ...validateHostPorts(recordsOf(containers), path)];
}

/** `spec.initContainers` of a pod, whose names must not be those of `containers` either. */
export function validateInitContainers(
  initContainers: unknown,
  containers: unknown,
  volumes: Volumes,
  path: string,
): FieldError[] {
  const names = new Set(recordsOf(containers).map((container) => textOf(container.name)));
  return forEachIndex(initContainers, path, (container, at) => {
    const name = textOf(container.name);
    const repeated = names.has(name) ? [duplicate(`${at}.name`, name)] : [];
    if (name !== '') names.add(name);
    return [
      ...validateContainer(container, volumes, at),
      ...(isSet(container.restartPolicy) ? validateRestartPolicy(container.restartPolicy, `${at}.restartPolicy`) : []),
      ...repeated,
      ...validateHostPorts([container], path),
      ...(container.restartPolicy === 'Always' ? keepsRunning(container, at) : runsOnce(container, at)),
      ...validateNoResizePolicy(container.resizePolicy, `${at}.resizePolicy`),
    ];
  });
}

function validateRestartPolicy(policy: unknown, path: string): FieldError[] {
  return policy === 'Always' ? [] : [notSupported(path, textOf(policy), ['Always'])];
}

function keepsRunning(container: Fields, path: string): FieldError[] {
  return [...validateLifecycle(container.lifecycle, `${path}.lifecycle`), ...validateProbes(container, path)];
}

function runsOnce(container: Fields, path: string): FieldError[] {
  return ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']
    .filter((name) => isSet(container[name]))
    .map((name) => forbidden(`${path}.${name}`, 'may not be set for init containers without restartPolicy=Always'));
}

function validateNoResizePolicy(policies: unknown, path: string): FieldError[] {
  if (listOf(policies).length === 0) return [];
  const shown = recordsOf(policies).map(
    ({ resourceName, restartPolicy }) =>
      `core.ContainerResizePolicy{ResourceName:${JSON.stringify(resourceName)}, RestartPolicy:${JSON.stringify(restartPolicy)}}`,
  );
  const value = new Verbatim(`[]core.ContainerResizePolicy{${shown.join(', ')}}`);
  return [invalid(path, value, 'must not be set for init containers')];
}

/** What pods are held to and pod templates are not. */
export function validateImageSpace(containers: unknown, path: string): FieldError[] {
  return forEachIndex(containers, path, (container, at) => {
    const image = textOf(container.image);
    if (image.trim() === image) return [];
    return [invalid(`${at}.image`, image, 'must not have leading or trailing whitespace')];
  });
}
