import { type FieldError, forbidden, invalid, notFound, notSupported, required } from '../../field-error.js';
import { type Fields, forEachIndex, isSet, recordOf, recordsOf, textOf } from '../fields.js';
import { validateNoParentSteps, validateRelativePath } from './paths.js';

/** The valid volumes of the pod by name. */
export type Volumes = ReadonlyMap<string, Fields>;

/** Name to path; of several entries with one name Kubernetes remembers the last. */
const lastByName = (entries: unknown, path: string): Map<string, string> =>
  new Map(recordsOf(entries).map((entry) => [textOf(entry.name), textOf(entry[path])]));

export function validateVolumeMounts(container: Fields, volumes: Volumes, path: string): FieldError[] {
  const devices = lastByName(container.volumeDevices, 'devicePath');
  const mountPaths = new Set<string>();
  return forEachIndex(container.volumeMounts, path, (mount, at) => {
    const name = textOf(mount.name);
    const mountPath = textOf(mount.mountPath);
    const errors: FieldError[] = [];
    if (name === '') errors.push(required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (mountPath === '') errors.push(required(`${at}.mountPath`));
    if (mountPaths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    mountPaths.add(mountPath);
    if (devices.has(name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
    }
    if ([...devices.values()].includes(mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    }
    if (isSet(volumes.get(name)?.image)) errors.push(...refuseSubPaths(mount, at));
    return [...errors, ...validateSubPaths(mount, path, at), ...validateMountOptions(mount, container, path)];
  });
}

function refuseSubPaths(mount: Fields, at: string): FieldError[] {
  return ['subPath', 'subPathExpr']
    .filter((name) => textOf(mount[name]) !== '')
    .map((name) => invalid(`${at}.${name}`, mount[name], 'not allowed in image volume sources'));
}

/** Kubernetes names the list, not the element, in the errors of some fields. */
function validateSubPaths(mount: Fields, listPath: string, at: string): FieldError[] {
  const subPath = textOf(mount.subPath);
  const subPathExpr = textOf(mount.subPathExpr);
  const errors = subPath === '' ? [] : validateRelativePath(subPath, `${listPath}.subPath`);
  if (subPathExpr === '') return errors;
  if (subPath !== '') {
    errors.push(invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
  }
  return [...errors, ...validateRelativePath(subPathExpr, `${listPath}.subPathExpr`)];
}

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible'];

function validateMountOptions(mount: Fields, container: Fields, listPath: string): FieldError[] {
  const errors: FieldError[] = [];
  if (isSet(mount.mountPropagation)) {
    const propagation = textOf(mount.mountPropagation);
    const at = `${listPath}.mountPropagation`;
    if (!PROPAGATIONS.includes(propagation)) errors.push(notSupported(at, propagation, PROPAGATIONS));
    if (propagation === 'Bidirectional' && recordOf(container.securityContext).privileged !== true) {
      errors.push(forbidden(at, 'Bidirectional mount propagation is available only to privileged containers'));
    }
  }
  return isSet(mount.recursiveReadOnly) ? [...errors, ...validateRecursiveReadOnly(mount, listPath)] : errors;
}

function validateRecursiveReadOnly(mount: Fields, listPath: string): FieldError[] {
  const mode = textOf(mount.recursiveReadOnly);
  const at = `${listPath}.recursiveReadOnly`;
  if (!RECURSIVE_READ_ONLY.includes(mode)) return [notSupported(at, mode, RECURSIVE_READ_ONLY)];
  if (mode === 'Disabled') return [];
  const errors: FieldError[] = [];
  if (mount.readOnly !== true) errors.push(forbidden(at, 'may only be specified when readOnly is true'));
  if (isSet(mount.mountPropagation) && mount.mountPropagation !== 'None') {
    errors.push(forbidden(at, 'may only be specified when mountPropagation is None or not specified'));
  }
  return errors;
}

export function validateVolumeDevices(container: Fields, volumes: Volumes, path: string): FieldError[] {
  const mounts = lastByName(container.volumeMounts, 'mountPath');
  const names = new Set<string>();
  const paths = new Set<string>();
  return forEachIndex(container.volumeDevices, path, (device, at) => {
    const name = textOf(device.name);
    const devicePath = textOf(device.devicePath);
    const errors = validateDeviceName(name, names, volumes, `${at}.name`);
    if (devicePath === '') errors.push(required(`${at}.devicePath`));
    if (paths.has(devicePath)) errors.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (validateNoParentSteps(devicePath, at).length > 0) {
      errors.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    if (mounts.has(name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    }
    if ([...mounts.values()].includes(devicePath)) {
      errors.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    }
    if (name !== '') names.add(name);
    return errors;
  });
}

function validateDeviceName(name: string, seen: ReadonlySet<string>, volumes: Volumes, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const volume = volumes.get(name);
  if (name === '') errors.push(required(path));
  if (seen.has(name)) errors.push(invalid(path, name, 'must be unique'));
  if (volume !== undefined && !isSet(volume.persistentVolumeClaim) && !isSet(volume.ephemeral)) {
    const rule = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
    errors.push(invalid(path, name, rule));
  }
  if (volume === undefined) errors.push(notFound(path, name));
  return errors;
}
