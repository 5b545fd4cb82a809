import { CliError } from '../errors.js';

/** What an argument names: `mesh` may be of any kind, `sidecarset/mesh` or `pod/shop-1` says which. */
export interface NamedObject {
  kind: 'SidecarSet' | 'Pod' | 'any';
  name: string;
}

/** As `kubectl get -o name` prints it, as people shorten it, and with the version, as kubectl takes it. */
const KINDS = [
  ['SidecarSet', /^(sidecar)?sets?$|^sidecarsets?(\.v1alpha1|\.v1beta1)?\.apps\.kruise\.io$/i],
  ['Pod', /^(po|pods?|pods?\.v1\.?)$/i],
] as const;

/** Reads `NAME` or `KIND/NAME`. Throws `CliError` for another kind and for what cannot be a name. */
export function readObjectName(argument: string): NamedObject {
  const [, word, rest] = /^([a-z][a-z0-9.]*)\/(.*)$/i.exec(argument) ?? [];
  if (word === undefined || rest === undefined) return { kind: 'any', name: checkName(argument, 'SidecarSet') };
  const kind = KINDS.find(([, words]) => words.test(word))?.[0];
  if (kind !== undefined) return { kind, name: checkName(rest, kind === 'Pod' ? 'pod' : kind) };
  throw new CliError('USAGE', `"${argument}" names a ${word}, neither a SidecarSet nor a pod`, {
    hint: 'Give NAME, sidecarset/NAME or, to kubectl sidestep why, pod/NAME.',
  });
}

/** The name of the SidecarSet that an argument names, in whichever way. Throws `CliError` for another kind. */
export function readSidecarSetName(argument: string): string {
  const { kind, name } = readObjectName(argument);
  if (kind !== 'Pod') return name;
  throw new CliError('USAGE', `"${argument}" is a pod, and this command takes a SidecarSet`, {
    hint: `kubectl sidestep why pod/${name} tells which it carries.`,
  });
}

/** Refuses what cannot be the name of an object, before it becomes part of an address. */
function checkName(name: string, what: string): string {
  if (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)) return name;
  throw new CliError('USAGE', `"${name}" cannot be the name of a ${what}`, {
    hint: 'Allowed are lower case letters, digits, "-" and ".".',
  });
}
