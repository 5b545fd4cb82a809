import { isObject } from './compare.js';

/** A recorded case that the runner cannot replay: the message says what is wrong, where, and what is allowed. */
export class CaseFormError extends Error {
  override name = 'CaseFormError';
}

/**
 * Looks at one value and throws if it is not what it should be. A form names only the fields that the replay cannot do without
 * and the type of those that it reads if they are there: whatever else a recording holds is no reason to refuse it.
 */
type Check = (value: unknown, at: string) => void;

const FORMS = 'trace, podsBefore, cases, steps or expected';
const TRACED = ['step', 'sidecarset', 'pod', 'event'];

/** @throws {CaseFormError} for anything but a case in one of the four forms */
export function checkCase(content: unknown): asserts content is Record<string, unknown> {
  const allowed = `allowed is an object with one of the fields ${FORMS}`;
  if (!isObject(content)) throw new CaseFormError(`the file holds ${told(content)}; ${allowed}`);
  const form = FORM_OF.find(([field]) => field in content)?.[1];
  if (form === undefined) {
    const fields = Object.keys(content).join(', ') || 'none';
    throw new CaseFormError(`not a case in any known form, its fields are: ${fields}; ${allowed}`);
  }
  form(content, '');
}

const object: Check = (value, at) => demand(isObject(value), value, at, 'an object');
const text: Check = (value, at) => demand(typeof value === 'string', value, at, 'a string');
const number: Check = (value, at) => demand(typeof value === 'number', value, at, 'a number');
const time: Check = (value, at) =>
  demand(typeof value === 'string' && !Number.isNaN(Date.parse(value)), value, at, 'an RFC 3339 time');

const listOf =
  (element: Check): Check =>
  (value, at) => {
    demand(Array.isArray(value), value, at, 'a list');
    for (const [index, each] of (value as unknown[]).entries()) element(each, `${at}[${index}]`);
  };

/** An object with these fields; a field whose name ends in `?` may be missing or null, any others may stand beside them. */
const shape =
  (fields: Record<string, Check>): Check =>
  (value, at) => {
    object(value, at);
    for (const [key, check] of Object.entries(fields)) {
      const name = key.replace('?', '');
      const held = (value as Record<string, unknown>)[name];
      const isMissing = held === undefined || held === null;
      if (!isMissing || name === key) check(held, at === '' ? name : `${at}.${name}`);
    }
  };

const oneOf =
  (words: readonly string[]): Check =>
  (value, at) =>
    demand(words.includes(value as string), value, at, `one of ${words.join(', ')}`);

/** As posted: what is in it may be wrong on purpose, since that a server refuses it is what such a case is about. */
const posted = shape({ metadata: object });
const stored = shape({ metadata: shape({ name: text }), spec: object });
const pod = shape({ metadata: object, spec: shape({ containers: listOf(shape({ name: text })) }) });
const write = shape({
  status: number,
  'message?': text,
  'stored?': shape({ 'v1beta1?': stored, 'v1alpha1?': stored }),
  'controllerRevisions?': listOf(shape({ name: text, revision: number })),
});
const admission = shape({
  request: shape({ 'namespace?': text, object: pod }),
  response: shape({ 'patch?': listOf(object), 'patched?': pod, 'status?': object }),
  'orders?': listOf(listOf(listOf(text))),
});
const podAnswer = shape({
  'status?': number,
  'admission?': admission,
  'error?': shape({ status: number, message: text }),
  'pod?': pod,
  'podRaw?': pod,
});

const STEPS: Record<string, Check> = {
  create: shape({ object: posted, expected: write }),
  update: shape({ object: posted, expected: write }),
  pod: shape({ object: pod, expected: podAnswer }),
};

const step: Check = (value, at) => {
  shape({ op: oneOf(Object.keys(STEPS)) })(value, at);
  STEPS[(value as { op: string }).op]?.(value, at);
};

const admissionCase: Check = (value, at) => {
  shape({
    'extraObjects?': listOf(shape({ kind: text, metadata: shape({ name: text }) })),
    'sidecarSets?': listOf(posted),
    'pod?': pod,
    'expected?': shape({ 'sidecarSets?': listOf(write), 'pod?': podAnswer, 'admission?': admission }),
    'steps?': listOf(step),
  })(value, at);
  const { sidecarSets, expected, pod: sent } = value as Record<string, unknown>;
  const answers = (isObject(expected) && (expected.sidecarSets as unknown[])) || [];
  const [written, told] = [((sidecarSets as unknown[]) ?? []).length, answers.length];
  if (told > written) {
    throw new CaseFormError(
      `expected.sidecarSets[${written}] answers no write; allowed is one for each of sidecarSets`,
    );
  }
  const answer = isObject(expected) ? expected.pod : undefined;
  if (isObject(answer) && !isObject(answer.admission)) pod(sent, 'pod');
};

const FORM_OF: readonly (readonly [string, Check])[] = [
  ['trace', shape({ sidecarSet: stored, 'pod?': pod, trace: listOf(shape({ t: number, kind: oneOf(TRACED) })) })],
  [
    'podsBefore',
    shape({
      sidecarSet: stored,
      newImage: text,
      podsBefore: listOf(
        shape({ name: text, 'labels?': object, creationTimestamp: time, ready: shape({ status: text }) }),
      ),
      expected: shape({ patchedInOrder: listOf(text), notPatched: listOf(text), status: object }),
    }),
  ],
  [
    'cases',
    shape({
      cases: listOf(shape({ sidecarSets: listOf(posted), pod, peerResult: shape({ 'pod?': pod, 'error?': text }) })),
    }),
  ],
  ['steps', admissionCase],
  ['expected', admissionCase],
];

function demand(isGood: boolean, value: unknown, at: string, allowed: string): void {
  if (isGood) return;
  const isMissing = value === undefined || value === null;
  throw new CaseFormError(`${at} ${isMissing ? 'is missing' : `is ${told(value)}`}; allowed is ${allowed}`);
}

function told(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : JSON.stringify(value);
}
