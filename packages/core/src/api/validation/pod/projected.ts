import { type FieldError, forbidden, invalid, required } from '../../field-error.js';
import { type Fields, forEachIndex, int64Of, isSet, recordOf, recordsOf, textOf } from '../fields.js';
import { validateTrustBundle } from './cluster-trust-bundle.js';
import { validateDownwardApiFile } from './downward-api-files.js';
import { validateFileMode, validateFilePath } from './paths.js';

/** `items` of a Secret or ConfigMap in a volume. */
export function validateKeys(items: unknown, path: string): FieldError[] {
  return forEachIndex(items, path, (item, at) => {
    const file = textOf(item.path);
    return [
      ...(textOf(item.key) === '' ? [required(`${at}.key`)] : []),
      ...(file === '' ? [required(`${at}.path`)] : []),
      ...validateFilePath(file, `${at}.path`),
      ...validateFileMode(item.mode, `${at}.mode`),
    ];
  });
}

/** Files that were placed so far; the volume's path goes into every error about a second one. */
interface Placed {
  paths: Set<string>;
  volume: string;
}

function place(file: string, placed: Placed, shown: string): FieldError[] {
  if (file === '') return [];
  if (placed.paths.has(file)) return [invalid(placed.volume, shown, 'conflicting duplicate paths')];
  placed.paths.add(file);
  return [];
}

export function validateProjected(source: Fields, path: string): FieldError[] {
  const placed: Placed = { paths: new Set(), volume: path };
  return [
    ...validateFileMode(source.defaultMode, `${path}.defaultMode`),
    ...forEachIndex(source.sources, `${path}.sources`, (projection, at) => validateProjection(projection, at, placed)),
  ];
}

type ProjectionCheck = (source: Fields, path: string, placed: Placed) => FieldError[];

const validateKeyFiles: ProjectionCheck = (source, path, placed) => {
  const name = textOf(source.name);
  const missing = name === '' ? [required(`${path}.name`)] : [];
  const files = recordsOf(source.items).flatMap((item, i) => [
    ...validateKeys([item], '').map((error) => ({
      ...error,
      field: error.field.replace('[0]', `${path}.items[${i}]`),
    })),
    ...place(textOf(item.path), placed, name),
  ]);
  return [...missing, ...files];
};

const validateDownwardFiles: ProjectionCheck = (source, path, placed) =>
  recordsOf(source.items).flatMap((file) => [
    ...validateDownwardApiFile(file, path),
    ...place(textOf(file.path), placed, textOf(file.path)),
  ]);

const TEN_MINUTES = 600;

const validateToken: ProjectionCheck = (source, path, placed) => {
  const seconds = int64Of(source.expirationSeconds);
  const file = textOf(source.path);
  const at = `${path}.expirationSeconds`;
  const filePath = `${placed.volume}.path`;
  return [
    ...(seconds < TEN_MINUTES ? [invalid(at, seconds, 'may not specify a duration less than 10 minutes')] : []),
    ...(seconds > 2 ** 32 ? [invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds')] : []),
    ...(file === '' ? [required(filePath)] : validateFilePath(file, filePath)),
  ];
};

const validateBundle: ProjectionCheck = (source, path, placed) => {
  const file = textOf(source.path);
  const repeated = placed.paths.has(file) ? [invalid(placed.volume, file, 'conflicting duplicate paths')] : [];
  placed.paths.add(file);
  return [...validateTrustBundle(source, path), ...repeated];
};

const PROJECTIONS: [name: string, check: ProjectionCheck][] = [
  ['secret', validateKeyFiles],
  ['configMap', validateKeyFiles],
  ['downwardAPI', validateDownwardFiles],
  ['serviceAccountToken', validateToken],
  ['clusterTrustBundle', validateBundle],
];

function validateProjection(projection: Fields, path: string, placed: Placed): FieldError[] {
  const present = PROJECTIONS.filter(([name]) => isSet(projection[name]));
  const errors = present.flatMap(([name, check]) => check(recordOf(projection[name]), `${path}.${name}`, placed));
  if (present.length <= 1) return errors;
  return [...errors, forbidden(path, 'may not specify more than 1 volume type per source')];
}
