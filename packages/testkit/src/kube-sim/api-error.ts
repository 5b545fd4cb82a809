/** What is wrong with one field, as the API server reports it in `details.causes`. */
export interface FieldCause {
  reason: string;
  message: string;
  field: string;
}

interface StatusDetails {
  group?: string;
  kind?: string;
  name?: string;
  causes?: FieldCause[];
  retryAfterSeconds?: number;
}

/** An answer that is not 2xx; becomes a `Status` object (kubernetes.io, API concepts, "Error responses"). */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details: StatusDetails | undefined = undefined,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  toStatus(): object {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

interface Named {
  group: string;
  plural: string;
  kind: string;
}

const resourceName = ({ group, plural }: Named): string => (group ? `${plural}.${group}` : plural);
const detailsOf = ({ group, plural }: Named, name: string): StatusDetails => ({
  name,
  ...(group ? { group } : {}),
  kind: plural,
});

export const notFound = (resource: Named, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${resourceName(resource)} "${name}" not found`, detailsOf(resource, name));

export const alreadyExists = (resource: Named, name: string): ApiError =>
  new ApiError(409, 'AlreadyExists', `${resourceName(resource)} "${name}" already exists`, detailsOf(resource, name));

export const conflict = (resource: Named, name: string, why = STALE): ApiError =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resourceName(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  );

const STALE = 'the object has been modified; please apply your changes to the latest version and try again';

/** 422 with every bad field named, in the API server's wording. */
export const invalid = (resource: Named, name: string, causes: FieldCause[]): ApiError => {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const kind = resource.group ? `${resource.kind}.${resource.group}` : resource.kind;
  return new ApiError(422, 'Invalid', `${kind} "${name}" is invalid: ${text}`, {
    name,
    ...(resource.group ? { group: resource.group } : {}),
    kind: resource.kind,
    causes,
  });
};

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message);

export const expired = (message: string): ApiError => new ApiError(410, 'Expired', message);

export const noSuchPath = (): ApiError =>
  new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});

/** What `resourceVersion` of a watch or continue token costs when its events are gone. */
export const tooOld = (asked: number, oldest: number): ApiError =>
  expired(`too old resource version: ${asked} (${oldest})`);
