import type { Pod } from '@sidestep/core';
import { admitted } from './api-server-pod.js';
import { isObject } from './compare.js';
import type { ExpectedPod, ServerError } from './golden-case.js';
import type { PodAnswer, PodRequest } from './golden-cluster.js';
import { isDenied, normalisedPod, plain, type RecordForm, webhookMessage } from './normalise.js';

/** One recorded part of what the API server said, and how our webhook's answer reads in that form. */
export interface ServerAnswer {
  subject: string;
  expected: unknown;
  inForm: (answer: PodAnswer) => unknown;
}

/**
 * What an API server answered to a pod after the webhook: the pod as it keeps it, or the refusal of the one or the other.
 *
 * @param isReached whether this API server asks the webhook about the pod at all
 */
export function serverAnswers(recorded: ExpectedPod, request: PodRequest, isReached: boolean): ServerAnswer[] {
  const { status, error, pod, podRaw } = recorded;
  const code = status ?? error?.status ?? 201;
  const final = (subject: string, held: Pod, records: RecordForm): ServerAnswer => {
    const form = (kept: Pod): unknown => plain({ code, allowed: true, patched: comparable(kept, records) });
    const untouched: PodAnswer = { allowed: true, patched: request.object };
    const inForm = (answer: PodAnswer): unknown => {
      const reached = isReached ? answer : untouched;
      return reached.allowed ? withCode(form(admitted(reached.patched, request.object)), 201) : reached;
    };
    return { subject, expected: form(held), inForm };
  };
  return [
    ...(error ? [refusal('expected.pod.error', error, request, isReached)] : []),
    ...(pod ? [final('expected.pod.pod', pod, 'read')] : []),
    ...(podRaw ? [final('expected.pod.podRaw', podRaw, 'text')] : []),
  ];
}

const withCode = (value: unknown, code: number): unknown => ({ ...(value as object), code });

/** A pod without what only the server says: the fields that it counts with, and the status. */
function comparable({ status: _status, ...pod }: Pod, records: RecordForm): unknown {
  const { resourceVersion: _version, generation: _generation, ...metadata } = pod.metadata;
  return normalisedPod({ ...pod, metadata } as Pod, records);
}

function refusal(subject: string, error: ServerError, { object }: PodRequest, isReached: boolean): ServerAnswer {
  const { status: code, details } = error;
  const message = webhookMessage(error.message);
  const expected = { allowed: false, status: { message, code } };
  if (isDenied(error.message) && isReached) {
    return { subject, expected, inForm: (answer) => (answer.allowed ? { allowed: true } : answer) };
  }
  const causes = details?.causes ?? [];
  // What a server itself finds invalid it names one by one, and says again in its message; anything else nobody can have recorded.
  const isWhole = causes.length > 0 && causes.every((cause) => error.message.includes(complaints([cause])));
  if (code === 422 && !isWhole) {
    return { subject, expected, inForm: (answer) => (answer.allowed ? { allowed: true } : answer) };
  }
  const inForm = (answer: PodAnswer): unknown => {
    if (!answer.allowed) return answer;
    const held = causes.filter((cause) => isTrueOf(admitted(answer.patched, object), cause));
    if (held.length === causes.length) return expected;
    return held.length === 0 ? { allowed: true } : { allowed: false, status: { message: complaints(held), code } };
  };
  return { subject, expected, inForm };
}

interface Cause {
  message: string;
  field: string;
}

const complaints = (causes: readonly Cause[]): string =>
  causes.map(({ field, message }) => `${field}: ${message}`).join(', ');

/** Whether a server would say that of this pod too: that the field is missing, or that it holds what the message quotes. */
function isTrueOf(pod: Pod, { field, message }: Cause): boolean {
  const steps = field.split(/[.[\]]+/).filter((step) => step !== '');
  const at = (value: unknown, step: string): unknown => (value as Record<string, unknown> | null | undefined)?.[step];
  const found = steps.reduce<unknown>(at, pod);
  if (message.startsWith('Required value')) {
    return (found === undefined || found === '') && isObject(steps.slice(0, -1).reduce<unknown>(at, pod));
  }
  const quoted = /^\w+ value: ("(?:[^"\\]|\\.)*")/.exec(message)?.[1]?.slice(1, -1);
  if (found === undefined || quoted === undefined) return found !== undefined;
  // A port of the host is told apart by protocol, address and number: "TCP//8080".
  return JSON.stringify(found).includes(quoted) || quoted.split('/').at(-1) === String(found);
}
