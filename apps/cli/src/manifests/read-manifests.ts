import { parseAllDocuments } from 'yaml';
import { CliError } from '../errors.js';
import type { Surroundings } from '../surroundings.js';

/** One object of a file. */
export interface Manifest {
  object: Record<string, unknown>;
  kind: string;
  /** For messages: `pods.yaml, document 2`. */
  where: string;
}

/** Reads every object of YAML or JSON files, taking Lists apart. Throws `CliError` that names the file and the place in it. */
export async function readManifests(
  files: readonly string[],
  { readText }: Pick<Surroundings, 'readText'>,
): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for (const file of files) manifests.push(...parseManifests(await textOf(file, readText), nameOf(file)));
  return manifests;
}

/** The standard input can be read once. */
export function refuseTwoStdins(...files: readonly string[]): void {
  if (files.filter((file) => file === '-').length < 2) return;
  throw new CliError('USAGE', 'the standard input (-) was named more than once', {
    hint: 'Give - to one option only.',
  });
}

const nameOf = (file: string): string => (file === '-' ? 'standard input' : file);

async function textOf(file: string, readText: Surroundings['readText']): Promise<string> {
  try {
    return await readText(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError('INPUT_UNREADABLE', `cannot read ${nameOf(file)}: ${why}`, {
      hint: 'Name a file of YAML or JSON, or - for the standard input.',
      cause,
    });
  }
}

/** The objects of one text. */
export function parseManifests(text: string, file: string): Manifest[] {
  const documents = parseAllDocuments(text, { intAsBigInt: true });
  const many = documents.length > 1;
  return documents.flatMap((document, index) => {
    const where = many ? `${file}, document ${index + 1}` : file;
    const [problem] = document.errors;
    if (problem !== undefined) throw notYaml(where, problem.message);
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100, reviver: asNumber });
    } catch (error) {
      throw notYaml(where, error instanceof Error ? error.message : String(error));
    }
    return value === null || value === undefined ? [] : manifestsOf(value, where);
  });
}

/** Whole numbers stay a `bigint` where a number would lose digits, as in what comes from an API server. */
const asNumber = (_: unknown, value: unknown): unknown =>
  typeof value === 'bigint' && String(Number(value)) === String(value) ? Number(value) : value;

const notYaml = (where: string, why: string): CliError =>
  new CliError('INPUT_UNREADABLE', `${where} is not YAML: ${why.trim()}`, { hint: 'Allowed are YAML and JSON.' });

function manifestsOf(value: unknown, where: string): Manifest[] {
  const hint = 'Every document is one Kubernetes object, or a List of them.';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CliError('INPUT_INVALID', `${where} is not an object`, { hint });
  }
  const object = value as Record<string, unknown>;
  const { kind, apiVersion, items } = object;
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') {
    throw new CliError('INPUT_INVALID', `${where} has no apiVersion and kind`, { hint });
  }
  const isList = kind.endsWith('List') || kind === 'List';
  if (!isList || !Array.isArray(items)) return [{ object, kind, where }];
  return items.flatMap((item, index) => manifestsOf(item, `${where}, item ${index + 1}`));
}

/** Refuses objects of kinds that an option does not take. */
export function onlyKinds(manifests: readonly Manifest[], option: string, kinds: readonly string[]): void {
  const wrong = manifests.find(({ kind }) => !kinds.includes(kind));
  if (wrong === undefined) return;
  throw new CliError('INPUT_INVALID', `${wrong.where} is a ${wrong.kind}, which ${option} does not take`, {
    hint: `${option} takes ${kinds.join(', ')}.`,
  });
}
