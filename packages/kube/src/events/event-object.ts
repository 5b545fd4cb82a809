import type { KubeObject, ResourceKind } from '../api.js';

export const EVENT: ResourceKind = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

/** What an Event is about. */
export interface InvolvedObject {
  apiVersion: string;
  kind: string;
  name: string;
  /** Absent for a cluster-scoped object. */
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  /** E.g. `spec.containers{mesh-1}`. */
  fieldPath?: string;
}

export interface EventText {
  type: 'Normal' | 'Warning';
  /** One CamelCase word. */
  reason: string;
  message: string;
}

export interface EventObject extends KubeObject {
  involvedObject: Partial<InvolvedObject>;
  count: number;
  firstTimestamp: string;
  lastTimestamp: string;
}

/** Events about cluster-scoped objects live here; `kubectl describe` looks for them in every namespace. */
const CLUSTER_SCOPED_EVENTS = 'default';

/** The limit of the API server. */
const LONGEST_MESSAGE = 1024;

/** Longest object name that leaves room for the suffix within 253 characters. */
const LONGEST_NAME = 236;

/** A new Event of core/v1: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export function newEvent(
  about: InvolvedObject,
  text: EventText,
  source: { component: string; instance: string },
  now: Date,
  suffix: string,
): EventObject {
  const time = seconds(now);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${about.name.slice(0, LONGEST_NAME)}.${suffix}`,
      namespace: about.namespace ?? CLUSTER_SCOPED_EVENTS,
    },
    involvedObject: { ...about },
    type: text.type,
    reason: text.reason,
    message: shorten(text.message),
    source: { component: source.component },
    reportingComponent: source.component,
    reportingInstance: source.instance,
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
  };
}

/** The merge patch that says the same thing happened again. */
export function repeatPatch(count: number, now: Date): object {
  return { count, lastTimestamp: seconds(now) };
}

/** Two Events with the same key are told as one with a count. */
export function eventKey(about: InvolvedObject, text: EventText): string {
  return JSON.stringify([objectKeyOf(about), about.fieldPath, text.type, text.reason, text.message]);
}

/** The object whose Events share one spam budget. */
export function objectKeyOf(about: InvolvedObject): string {
  return [about.apiVersion, about.kind, about.namespace ?? '', about.name, about.uid ?? ''].join(' ');
}

const seconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');

const shorten = (message: string): string =>
  message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 3)}...`;
