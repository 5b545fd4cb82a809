import { ApiError } from '../api-error.js';
import type { ResourceDefinition, SimObject } from '../types.js';
import type { Attempt } from './admission.js';

export interface UserInfo {
  username: string;
  groups: string[];
}

/** What the webhook sees of the object: in the version it asked for. */
interface Seen {
  object: SimObject | undefined;
  oldObject: SimObject | undefined;
  version: string;
}

const kindOf = ({ group, kind }: ResourceDefinition, version: string): object => ({ group, version, kind });
const resourceOf = ({ group, plural }: ResourceDefinition, version: string): object => ({
  group,
  version,
  resource: plural,
});

/** The `request` of an AdmissionReview. */
export function reviewRequest(uid: string, attempt: Attempt, seen: Seen): object {
  const { resource, subresource, namespace, name, operation, user, dryRun, options } = attempt;
  return {
    uid,
    kind: kindOf(resource, seen.version),
    resource: resourceOf(resource, seen.version),
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: kindOf(resource, resource.version),
    requestResource: resourceOf(resource, resource.version),
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: user,
    object: seen.object ?? null,
    oldObject: seen.oldObject ?? null,
    dryRun,
    options: { ...options, ...(dryRun ? { dryRun: ['All'] } : {}) },
  };
}

interface RefusalStatus {
  message?: string;
  code?: number;
  reason?: string;
}

/** A refusal in the API server's words; a code that is not one of an error becomes 400. */
export function denial(hook: string, status: RefusalStatus | undefined): ApiError {
  const code = status?.code !== undefined && status.code >= 400 ? status.code : 400;
  const why = status?.message || status?.reason;
  const message = why
    ? `admission webhook "${hook}" denied the request: ${why}`
    : `admission webhook "${hook}" denied the request without explanation`;
  return new ApiError(code, status?.reason ?? '', message);
}
