import type { JsonPatch } from '@sidestep/core';
import { parseJson, printJson } from '@sidestep/kube';

/** What of an AdmissionRequest is used: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ */
export interface AdmissionRequest {
  uid: string;
  kind: { group: string; version: string; kind: string };
  resource: { group: string; version: string; resource: string };
  subResource?: string;
  name?: string;
  namespace?: string;
  operation: string;
  object: unknown;
  oldObject: unknown;
  dryRun: boolean;
}

/** A review that can be answered, in either version of its API; both have the same shape. */
export interface AdmissionReview {
  apiVersion: 'admission.k8s.io/v1' | 'admission.k8s.io/v1beta1';
  request: AdmissionRequest;
}

/** What is to be said about a request. */
export type AdmissionAnswer =
  | { allowed: true; patch?: JsonPatch; warnings?: readonly string[] }
  | { allowed: false; code: number; reason: string; message: string; warnings?: readonly string[] };

/** The body is no AdmissionReview, so there is nobody to answer in its terms. */
export class MalformedReview extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MalformedReview';
  }
}

const VERSIONS = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'];

/** Longest piece of a caller's text that is repeated to it. */
const LONGEST_ECHO = 100;

type Open = Record<string, unknown>;

/** Reads a body. Throws `MalformedReview`. Of the objects inside only their presence is looked at. */
export function parseAdmissionReview(body: string): AdmissionReview {
  const review = objectOf(parsedBy(parseJson, body));
  const apiVersion = review.apiVersion;
  if (review.kind !== 'AdmissionReview' || !VERSIONS.includes(apiVersion as string)) {
    throw new MalformedReview(`not an AdmissionReview of v1 or v1beta1: ${echo(review.kind)} of ${echo(apiVersion)}`);
  }
  const request = review.request;
  if (!isObject(request)) throw new MalformedReview('the AdmissionReview has no request');
  const uid = request.uid;
  if (typeof uid !== 'string' || uid === '') throw new MalformedReview('the request has no uid');
  return { apiVersion: apiVersion as AdmissionReview['apiVersion'], request: requestOf(uid, request) };
}

function requestOf(uid: string, request: Open): AdmissionRequest {
  const kind = isObject(request.kind) ? request.kind : {};
  const resource = isObject(request.resource) ? request.resource : {};
  const read: AdmissionRequest = {
    uid,
    kind: { group: text(kind.group), version: text(kind.version), kind: text(kind.kind) },
    resource: { group: text(resource.group), version: text(resource.version), resource: text(resource.resource) },
    operation: text(request.operation),
    object: request.object ?? undefined,
    oldObject: request.oldObject ?? undefined,
    dryRun: request.dryRun === true,
  };
  if (text(request.subResource)) read.subResource = text(request.subResource);
  if (text(request.name)) read.name = text(request.name);
  if (text(request.namespace)) read.namespace = text(request.namespace);
  return read;
}

/** The body of an answer. */
export function renderAnswer(
  review: Pick<AdmissionReview, 'apiVersion'>,
  uid: string,
  answer: AdmissionAnswer,
): string {
  const response: Open = { uid, allowed: answer.allowed };
  if (answer.warnings?.length) response.warnings = answer.warnings;
  if (!answer.allowed) {
    const { code, reason, message } = answer;
    response.status = { status: 'Failure', code, reason, message };
  } else if (answer.patch?.length) {
    response.patchType = 'JSONPatch';
    response.patch = Buffer.from(printJson(answer.patch)).toString('base64');
  }
  return JSON.stringify({ apiVersion: review.apiVersion, kind: 'AdmissionReview', response });
}

/** What a parser of JSON makes of a body. Throws `MalformedReview` where the parser throws. */
export function parsedBy<T>(parse: (body: string) => T, body: string): T {
  try {
    return parse(body);
  } catch (cause) {
    throw new MalformedReview('the body is not JSON', cause);
  }
}

/** The object that a body was. Throws `MalformedReview`. */
export function objectOf(parsed: unknown): Open {
  if (!isObject(parsed)) throw new MalformedReview('the body is not a JSON object');
  return parsed;
}

/** True for a JSON object: neither null nor a list. */
export const isObject = (value: unknown): value is Open =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const echo = (value: unknown): string => (printJson(value) ?? 'nothing').slice(0, LONGEST_ECHO);
