import type { Volume } from '../kubernetes.js';
import { isRecord } from '../schema/go-json.js';
import { defaultFieldRef } from './container.js';

type Fields = Record<string, unknown>;

const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;

/** The defaults that Kubernetes gives the sources of a volume, in place. A volume without a source becomes an emptyDir. */
export function defaultVolume(volume: Volume): void {
  if (!Object.keys(volume).some((name) => name !== 'name' && isRecord(volume[name]))) volume.emptyDir = {};
  withSource(volume.hostPath, (source) => setIfAbsent(source, 'type', ''));
  withSource(volume.secret, defaultFileMode);
  withSource(volume.configMap, defaultFileMode);
  withSource(volume.downwardAPI, (source) => {
    defaultFileMode(source);
    defaultFieldRefs(source.items);
  });
  withSource(volume.projected, (source) => {
    defaultFileMode(source);
    for (const projection of recordsOf(source.sources)) defaultProjection(projection);
  });
}

function defaultProjection(projection: Fields): void {
  withSource(projection.downwardAPI, (source) => defaultFieldRefs(source.items));
  withSource(projection.serviceAccountToken, (source) => setIfAbsent(source, 'expirationSeconds', TOKEN_SECONDS));
}

function withSource(source: unknown, change: (source: Fields) => void): void {
  if (isRecord(source)) change(source);
}

const recordsOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isRecord) : []);

function defaultFieldRefs(items: unknown): void {
  for (const item of recordsOf(items)) defaultFieldRef(item);
}

function defaultFileMode(source: Fields): void {
  setIfAbsent(source, 'defaultMode', FILE_MODE);
}

function setIfAbsent(target: Fields, name: string, value: unknown): void {
  if (target[name] === undefined || target[name] === null) target[name] = value;
}
