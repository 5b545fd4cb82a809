import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { ApiError, badRequest, noSuchPath } from '../api-error.js';
import { fromBigints, readJson } from '../json.js';
import type { Kinds } from '../kinds.js';
import type { ResourceDefinition } from '../types.js';

/** A request for a resource, as the API server's URL conventions read it (kubernetes.io, "Kubernetes API Concepts"). */
export interface ResourceRequest {
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  resource: ResourceDefinition;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
  query: URLSearchParams;
}

interface ResourcePath {
  resource: ResourceDefinition;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

export function parseResourceRequest(kinds: Kinds, method: string, url: URL): ResourceRequest {
  const path = parsePath(kinds, url.pathname);
  if (path.subresource !== undefined && !(path.subresource === 'status' && path.resource.hasStatus)) throw noSuchPath();
  return { ...path, verb: verbOf(method, path.name, url.searchParams), query: url.searchParams };
}

function parsePath(kinds: Kinds, pathname: string): ResourcePath {
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const core = parts[0] === 'api';
  const [group, version] = core ? ['', parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(core ? 2 : 3);
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status';
  const namespace = inNamespace ? rest[1] : undefined;
  const [plural = '', name, subresource, ...beyond] = inNamespace ? rest.slice(2) : rest;
  const resource = kinds.find(group ?? '', version ?? '', plural);
  if (!resource || beyond.length > 0) throw noSuchPath();
  if (namespace !== undefined && !resource.namespaced) throw noSuchPath();
  return { resource, namespace, name, subresource };
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): ResourceRequest['verb'] {
  switch (method) {
    case 'GET':
      if (isTrue(query.get('watch'))) return 'watch';
      return name ? 'get' : 'list';
    case 'POST':
      if (!name) return 'create';
      break;
    case 'PUT':
      if (name) return 'update';
      break;
    case 'PATCH':
      if (name) return 'patch';
      break;
    case 'DELETE':
      return name ? 'delete' : 'deletecollection';
  }
  throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

export const isTrue = (value: string | null): boolean => value === 'true' || value === '1';

const MAX_BODY_BYTES = 3 * 1024 * 1024;

export function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES)
        reject(new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`));
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString()));
    request.once('error', reject);
    request.once('close', () => {
      if (!request.readableEnded) reject(new ApiError(499, 'ClientClosed', 'the client went away'));
    });
  });
}

/** JSON or YAML, by content type; `undefined` for an empty body. */
export function parseBody(text: string, contentType: string): unknown {
  if (text.trim() === '') return undefined;
  const type = contentType.split(';')[0]?.trim() ?? '';
  if (type === 'application/vnd.kubernetes.protobuf') {
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
    );
  }
  try {
    return type.endsWith('yaml') ? fromBigints(parseYaml(text, { intAsBigInt: true })) : readJson(text);
  } catch (error) {
    throw badRequest(`error decoding body: ${(error as Error).message}`);
  }
}
