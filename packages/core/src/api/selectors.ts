import type { LabelSelector, LabelSelectorRequirement } from './kubernetes.js';

type Labels = Readonly<Record<string, string>>;

/** The label that the API server puts on every Namespace, with the namespace's name as value. */
export const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

/** True when the selector has no requirement at all. OpenKruise lets such a selector match no pod. */
export function isEmptySelector(selector: LabelSelector): boolean {
  if (selector.matchExpressions !== undefined && selector.matchExpressions.length > 0) return false;
  for (const _ in selector.matchLabels) return false;
  return true;
}

/**
 * Whether labels fulfil a selector, by the Kubernetes rules: no selector matches nothing, an empty one matches everything, and
 * one with an invalid requirement matches nothing. Allocates nothing; it is called for every set at each pod creation.
 */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (selector === undefined) return false;
  const { matchLabels, matchExpressions } = selector;
  if (matchLabels !== undefined) {
    for (const key in matchLabels) if (read(labels, key) !== matchLabels[key]) return false;
  }
  if (matchExpressions !== undefined) {
    for (const requirement of matchExpressions) if (!meets(requirement, read(labels, requirement.key))) return false;
  }
  return true;
}

function read(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function meets({ operator, values }: LabelSelectorRequirement, value: string | undefined): boolean {
  const listed = values !== undefined && values.length > 0;
  switch (operator) {
    case 'In':
      return listed && value !== undefined && values.includes(value);
    case 'NotIn':
      return listed && (value === undefined || !values.includes(value));
    case 'Exists':
      return !listed && value !== undefined;
    case 'DoesNotExist':
      return !listed && value === undefined;
    default:
      return false;
  }
}

/** What the requirements on one key leave open. `allowed` absent means any value but the `forbidden` ones. */
interface KeyRoom {
  mayBeAbsent: boolean;
  mayBePresent: boolean;
  allowed?: Set<string>;
  forbidden: Set<string>;
}

/**
 * Whether some set of labels fulfils both selectors, exactly: requirements speak of one key each, so the selectors are
 * compatible if and only if the requirements on every single key are.
 */
export function selectorsOverlap(a: LabelSelector | undefined, b: LabelSelector | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const rooms = new Map<string, KeyRoom>();
  return narrow(rooms, a) && narrow(rooms, b) && isSatisfiable(rooms);
}

/** As {@link selectorsOverlap} for namespace selectors, where no selector means every namespace and each one bears its name. */
export function namespaceSelectorsOverlap(a: LabelSelector | undefined, b: LabelSelector | undefined): boolean {
  const rooms = new Map<string, KeyRoom>();
  roomOf(rooms, NAMESPACE_NAME_LABEL).mayBeAbsent = false;
  return (a === undefined || narrow(rooms, a)) && (b === undefined || narrow(rooms, b)) && isSatisfiable(rooms);
}

function isSatisfiable(rooms: Map<string, KeyRoom>): boolean {
  for (const room of rooms.values()) {
    if (room.mayBeAbsent) continue;
    if (!room.mayBePresent) return false;
    if (room.allowed === undefined) continue;
    if (![...room.allowed].some((value) => !room.forbidden.has(value))) return false;
  }
  return true;
}

/** False when a requirement is invalid, since such a selector matches nothing. */
function narrow(rooms: Map<string, KeyRoom>, selector: LabelSelector): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) restrictTo(roomOf(rooms, key), [value]);
  return (selector.matchExpressions ?? []).every((requirement) => apply(roomOf(rooms, requirement.key), requirement));
}

function apply(room: KeyRoom, { operator, values = [] }: LabelSelectorRequirement): boolean {
  switch (operator) {
    case 'In':
      restrictTo(room, values);
      return values.length > 0;
    case 'NotIn':
      for (const value of values) room.forbidden.add(value);
      return values.length > 0;
    case 'Exists':
      room.mayBeAbsent = false;
      return values.length === 0;
    case 'DoesNotExist':
      room.mayBePresent = false;
      return values.length === 0;
    default:
      return false;
  }
}

function restrictTo(room: KeyRoom, values: string[]): void {
  room.mayBeAbsent = false;
  const before = room.allowed;
  room.allowed = new Set(before === undefined ? values : values.filter((value) => before.has(value)));
}

function roomOf(rooms: Map<string, KeyRoom>, key: string): KeyRoom {
  let room = rooms.get(key);
  if (room === undefined) {
    room = { mayBeAbsent: true, mayBePresent: true, forbidden: new Set() };
    rooms.set(key, room);
  }
  return room;
}
