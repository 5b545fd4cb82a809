import { KRUISE } from '@sidestep/core';
import {
  CaseFormError,
  type Check,
  demand,
  each,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  shape,
  text,
} from './checks.js';
import { isObject } from './compare.js';

/**
 * The form of a trace. Nothing of an entry is guessed: what a replay would pass over because it is no watch event, or because
 * what came before it is not shown, is refused here with its place.
 */
export const traceForm = (sidecarSet: Check, pod: Check): Check =>
  each(shape({ sidecarSet, 'pod?': pod, trace: listOf(entry) }), inTurn);

const entry: Check = (value, at) => {
  shape({ t: number, kind: oneOf(Object.keys(ENTRIES)) })(value, at);
  ENTRIES[(value as { kind: string }).kind]?.(value, at);
};

const resourceVersion: Check = (value, at) =>
  demand(typeof value === 'string' && /^\d+$/.test(value), value, at, 'digits in a string');
const involved: Check = (value, at) =>
  demand(typeof value === 'string' && /^[^/]+\/[^/]+$/.test(value), value, at, '"Kind/name"');
const flag: Check = (value, at) => demand(typeof value === 'boolean', value, at, 'true or false');

/** What the rollout keeps in an annotation as JSON. */
const record: Check = (value, at) => demand(typeof value === 'string' && isRecord(value), value, at, 'a JSON object');

function isRecord(value: string): boolean {
  try {
    return isObject(JSON.parse(value));
  } catch {
    return false;
  }
}

const RECORDS = [KRUISE.hash, KRUISE.hashWithoutImage, KRUISE.inPlaceUpdateState, KRUISE.workingHotContainer];
const podAnnotations = each(mapOf(text), shape(Object.fromEntries(RECORDS.map((key) => [`${key}?`, record]))));
const image = shape({ name: text, image: text });
const containerStatus = shape({
  name: text,
  'image?': text,
  'imageID?': text,
  ready: flag,
  restartCount: number,
  state: oneOf(['running', 'waiting', 'terminated']),
});
const condition = shape({ type: text, status: oneOf(['True', 'False', 'Unknown']) });
const counted = shape({
  'matchedPods?': number,
  'updatedPods?': number,
  'readyPods?': number,
  'latestRevision?': text,
});

/** A watch event; of the fields in `changed` at least one is there, unless the object went away. */
function watched(changed: Record<string, Check>): Check {
  const fields = Object.keys(changed).map((key) => key.replace('?', ''));
  const some: Check = (value, at) => {
    shape(changed)(value, at);
    const holds = fields.some((field) => (value as Record<string, unknown>)[field] !== undefined);
    if (!holds) throw new CaseFormError(`${at} holds nothing that changed; allowed are ${fields.join(', ')}`);
  };
  const common = {
    event: oneOf(['ADDED', 'MODIFIED', 'DELETED']),
    name: text,
    resourceVersion,
    writers: listOf(text),
  };
  return (value, at) => {
    shape(common)(value, at);
    shape((value as { event: string }).event === 'DELETED' ? { 'changed?': object } : { changed: some })(value, at);
  };
}

const ENTRIES: Record<string, Check> = {
  step: shape({ text }),
  sidecarset: watched({
    'generation?': number,
    'annotations?': mapOf(text),
    'spec?': shape({ 'containers?': listOf(image), 'initContainers?': listOf(image) }),
    'status?': counted,
  }),
  pod: watched({
    'annotations?': podAnnotations,
    'containers?': listOf(image),
    'statuses?': listOf(containerStatus),
    'conditions?': listOf(condition),
    'phase?': text,
  }),
  event: watched({
    'reason?': text,
    'type?': text,
    'message?': text,
    'involved?': involved,
    'count?': number,
  }),
};

/** What the first event of an object says whole; the later ones say what changed since. */
const WHOLE: Record<string, Check> = {
  sidecarset: shape({ annotations: object, spec: object }),
  pod: shape({ containers: listOf(object) }),
  event: shape({ reason: text, type: text, message: text, involved }),
};

interface Entry {
  t: number;
  kind: string;
  name?: string;
  event?: string;
  changed?: unknown;
}

/** Each entry follows from those above it: in time, and with nothing changed that was never shown. */
const inTurn: Check = (value) => {
  const { sidecarSet, trace } = value as { sidecarSet: { metadata: { name: string } }; trace: Entry[] };
  const shown = new Set<string>();
  for (const [index, { t, kind, name = '', event, changed }] of trace.entries()) {
    const at = `trace[${index}]`;
    const before = trace[index - 1]?.t ?? t;
    demand(t >= before, t, `${at}.t`, `${before} or more, as in the entry above`);
    if (kind === 'step') continue;
    const own = sidecarSet.metadata.name;
    if (kind === 'sidecarset') demand(name === own, name, `${at}.name`, `${own}, as in sidecarSet`);
    const object = `${kind} ${name}`;
    const isFirst = !shown.has(object);
    demand(!isFirst || event === 'ADDED', event, `${at}.event`, `ADDED, for it is the first of ${object}`);
    if (isFirst) WHOLE[kind]?.(changed, `${at}.changed`);
    if (event === 'DELETED') shown.delete(object);
    else shown.add(object);
  }
};
