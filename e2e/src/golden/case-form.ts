import { CaseFormError, type Check, listOf, number, object, oneOf, shape, text, time, told } from './checks.js';
import { isObject } from './compare.js';
import { traceForm } from './trace-form.js';

const FORMS = 'trace, podsBefore, cases, steps or expected';

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

/** As posted: what is in it may be wrong on purpose, since that a server refuses it is what such a case is about. */
const posted = shape({ metadata: object });
const stored = shape({ 'kind?': oneOf(['SidecarSet']), metadata: shape({ name: text }), spec: object });
const pod = shape({
  'kind?': oneOf(['Pod']),
  metadata: object,
  spec: shape({ containers: listOf(shape({ name: text })) }),
});
const write = shape({
  status: number,
  'name?': text,
  'message?': text,
  'stored?': shape({ 'v1beta1?': stored, 'v1alpha1?': stored }),
  'controllerRevisions?': listOf(shape({ name: text, revision: number })),
});
const admission = shape({
  request: shape({
    'kind?': shape({ kind: oneOf(['Pod']) }),
    'operation?': oneOf(['CREATE']),
    'namespace?': text,
    object: pod,
  }),
  response: shape({
    'patch?': listOf(shape({ op: oneOf(['add', 'remove', 'replace', 'move', 'copy', 'test']), path: text })),
    'patched?': pod,
    'status?': object,
  }),
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
  ['trace', traceForm(stored, pod)],
  [
    'podsBefore',
    shape({
      sidecarSet: stored,
      newImage: text,
      podsBefore: listOf(
        shape({
          name: text,
          'labels?': object,
          creationTimestamp: time,
          ready: shape({ 'type?': oneOf(['Ready']), status: text }),
        }),
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
