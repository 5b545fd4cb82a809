import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  applyJsonPatch,
  defaultSidecarSet,
  type InjectionPlan,
  lookupOf,
  type Pod,
  planInjection,
  type SidecarSet,
  SidecarSetIndex,
  withHashes,
} from '@sidestep/core';
import type { Expectation } from './expected-answer.js';

/** A review to be posted and what must come of it; both are files, for the process that posts them. */
export interface PreparedReview {
  review: string;
  expectation: string;
  /** What must come of it where another product answers. */
  anyPatch: string;
  /** The patch of the answer, as an answer carries it. */
  patch: string;
}

const inputs = (root: string) => path.join(root, 'bench/testdata/webhook');

/** The one SidecarSet that selects the pods of the reviews, as the API server stores it, and others that select none of them. */
export function sidecarSets(root: string, from: number, to: number): SidecarSet[] {
  const text = readFileSync(path.join(inputs(root), 'sidecarset.json'), 'utf8');
  return Array.from({ length: to - from }, (_, index) => {
    const set = JSON.parse(text) as SidecarSet;
    const serial = from + index;
    if (serial > 0) {
      set.metadata.name = `other-${serial}`;
      set.spec.selector = { matchLabels: { app: `other-${serial}` } };
    }
    return withHashes(defaultSidecarSet(set));
  });
}

/** Works out what admission must make of a recorded review. */
export function prepareReview(root: string, folder: string, name: string): PreparedReview {
  const review = path.join(inputs(root), `admissionreview-${name}.json`);
  const { request } = JSON.parse(readFileSync(review, 'utf8')) as {
    request: { uid: string; namespace: string; object: Pod };
  };
  const { patch, injected } = plan(root, request);
  const selects = !name.endsWith('nomatch');
  if (injected.length > 0 !== selects) throw new Error(`${name} is ${selects ? 'not ' : ''}selected`);
  const after = applyJsonPatch(request.object, patch);
  const expected: Expectation = { uid: request.uid, before: request.object, after };
  const expectation = path.join(folder, `${name}.expectation.json`);
  writeFileSync(expectation, JSON.stringify(expected));
  const anyPatch = path.join(folder, `${name}.any-patch.json`);
  writeFileSync(anyPatch, JSON.stringify({ uid: request.uid, before: request.object }));
  return { review, expectation, anyPatch, patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
}

function plan(
  root: string,
  { uid, namespace, object }: { uid: string; namespace: string; object: Pod },
): InjectionPlan {
  return planInjection({
    pod: object,
    namespace,
    namespaceLabels: {},
    sidecarSets: new SidecarSetIndex(sidecarSets(root, 0, 1)),
    revisions: lookupOf([]),
    requestUid: uid,
    now: new Date(),
  });
}
