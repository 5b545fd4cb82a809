import { convertSidecarSet, type SidecarSet } from '@sidestep/core';
import { parseKeepingNumbers } from './kept-numbers.js';
import { isObject, MalformedReview, objectOf, parsedBy } from './review.js';

/** https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/ */
interface ConversionResult {
  body: string;
  succeeded: boolean;
}

/**
 * Answers a ConversionReview: every object in the wanted version, or none and why. No number that the objects hold is read, and
 * each is given back as it was written. Throws `MalformedReview`.
 */
export function convertReview(body: string): ConversionResult {
  const { value, print } = parsedBy(parseKeepingNumbers, body);
  const review = objectOf(value);
  const apiVersion = review.apiVersion;
  if (
    review.kind !== 'ConversionReview' ||
    typeof apiVersion !== 'string' ||
    !apiVersion.startsWith('apiextensions.k8s.io/')
  ) {
    throw new MalformedReview('not a ConversionReview');
  }
  const request = review.request;
  if (!isObject(request)) throw new MalformedReview('the ConversionReview has no request');
  const { uid, desiredAPIVersion, objects } = request;
  if (typeof uid !== 'string' || uid === '') throw new MalformedReview('the request has no uid');
  const answer = (result: ReturnType<typeof converted>): ConversionResult => ({
    body: print({ apiVersion, kind: 'ConversionReview', response: { uid, ...result } }),
    succeeded: result.result.status === 'Success',
  });
  try {
    return answer(converted(objects, desiredAPIVersion));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return answer(failed('an object is nested too deeply'));
  }
}

const failed = (message: string) => ({ convertedObjects: [], result: { status: 'Failure', message } });

function converted(objects: unknown, version: unknown) {
  try {
    if (typeof version !== 'string') throw new TypeError('desiredAPIVersion is not a string');
    if (!Array.isArray(objects)) throw new TypeError('objects is not a list');
    const convertedObjects = objects.map((object) => convertOne(object, version));
    return { convertedObjects, result: { status: 'Success' } };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function convertOne(object: unknown, version: string): SidecarSet {
  if (!isObject(object) || object.kind !== 'SidecarSet') throw new TypeError('only SidecarSets can be converted');
  if (!isObject(object.metadata)) throw new TypeError('a SidecarSet without metadata cannot be converted');
  // A SidecarSet that was stored without a spec is still to be read and deleted.
  const spec = object.spec ?? {};
  return convertSidecarSet({ ...object, spec } as unknown as SidecarSet, version);
}
