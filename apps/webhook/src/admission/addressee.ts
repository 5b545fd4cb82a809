import type { AdmissionRequest } from './review.js';

/** What one path of the webhook is asked about. */
export interface Addressee {
  path: string;
  group: string;
  resource: string;
  kind: string;
}

/** The pods that are created, at OpenKruise's path. */
export const POD_CREATIONS: Addressee = { path: '/mutate-pod', group: '', resource: 'pods', kind: 'Pod' };

const SIDECARSETS = { group: 'apps.kruise.io', resource: 'sidecarsets', kind: 'SidecarSet' };

/** The SidecarSets that are written, before their defaults are filled in. */
export const SIDECARSET_DEFAULTS: Addressee = { path: '/mutate-apps-kruise-io-sidecarset', ...SIDECARSETS };

/** The SidecarSets that are written, with their defaults. */
export const SIDECARSET_RULES: Addressee = { path: '/validate-apps-kruise-io-sidecarset', ...SIDECARSETS };

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

/**
 * Says why a request cannot be meant for a path; `undefined` when it can. The shipped configurations send each path its own kind
 * and nothing else: whatever else comes was sent here by mistake, and to allow it unseen would hide that. A subresource has a kind
 * of its own (an Eviction of a pod), which is nothing to refuse it for.
 */
export function misdirection(request: AdmissionRequest, { path, ...wanted }: Addressee): string | undefined {
  const { kind, resource, subResource, operation } = request;
  const isResource = resource.group === wanted.group && resource.resource === wanted.resource;
  const isKind = subResource !== undefined || (kind.group === wanted.group && kind.kind === wanted.kind);
  if (!isResource || !isKind) {
    const got = `resource ${named(resource.group, resource.resource)} of kind ${named(kind.group, kind.kind)}`;
    const takes = `resource ${named(wanted.group, wanted.resource)} of kind ${named(wanted.group, wanted.kind)}`;
    return `${path} takes requests about the ${takes}, and this one is about the ${got}`;
  }
  if (OPERATIONS.includes(operation)) return undefined;
  return `${path} takes the operations ${OPERATIONS.join(', ')}, and this request is ${quoted(operation)}`;
}

/** Longest piece of a caller's text that is repeated to it. */
const LONGEST_ECHO = 100;

const quoted = (text: string): string => JSON.stringify(text.slice(0, LONGEST_ECHO));

const named = (group: string, name: string): string =>
  `${quoted(name)} in ${group === '' ? 'the core group' : `group ${quoted(group)}`}`;
