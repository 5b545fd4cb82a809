import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '../api-error.js';
import { printJson } from '../json.js';

/** Whether the client (kubectl get) prefers a Table; other fancy forms fall back to plain JSON. */
export const wantsTable = (request: IncomingMessage): boolean => wants(request, 'Table');

/** Whether the client asked for the metadata of what it wrote, and for nothing else. */
export const wantsMetadata = (request: IncomingMessage): boolean => wants(request, 'PartialObjectMetadata');

const wants = ({ headers }: IncomingMessage, form: string): boolean =>
  (headers.accept ?? '').split(',').some((type) => {
    const [media, ...parameters] = type.split(';').map((part) => part.trim());
    return media === 'application/json' && parameters.includes(`as=${form}`);
  });

export function sendJson(
  response: ServerResponse,
  code: number,
  body: string | object,
  warnings: readonly string[] = [],
): void {
  const text = typeof body === 'string' ? body : printJson(body);
  const unique = [...new Set(warnings)];
  if (unique.length > 0) response.setHeader('warning', unique.map(warningHeader));
  response.writeHead(code, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** RFC 7234 warn-text: quoted, no control or non-Latin characters (they would break the header). */
const warningHeader = (text: string): string =>
  `299 - "${text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replace(/[^\x20-\x7e]/g, '?')}"`;

export function sendError(response: ServerResponse, error: unknown, warnings: readonly string[] = []): number {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'InternalError', `Internal error occurred: ${(error as Error).message}`);
  if (response.headersSent || response.destroyed) return known.code;
  const after = known.details?.retryAfterSeconds;
  if (after !== undefined) response.setHeader('retry-after', String(after));
  sendJson(response, known.code, known.toStatus(), warnings);
  return known.code;
}
