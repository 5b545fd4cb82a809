import { badRequest } from './api-error.js';

export type Matches = (values: Readonly<Record<string, string>>) => boolean;

/** `undefined` when the text selects everything. */
export function parseLabelSelector(text: string | undefined): Matches | undefined {
  const parts = splitOutsideParentheses(text ?? '');
  if (parts.length === 0) return undefined;
  const tests = parts.map(labelTest);
  return (labels) => tests.every((test) => test(labels));
}

/** Field selectors know only `=`, `==` and `!=` (kubernetes.io, "Field Selectors"). */
export function parseFieldSelector(text: string | undefined, known: readonly string[]): Matches | undefined {
  const parts = (text ?? '').split(',').filter((part) => part !== '');
  if (parts.length === 0) return undefined;
  const tests = parts.map((part) => fieldTest(part, known));
  return (fields) => tests.every((test) => test(fields));
}

function fieldTest(part: string, known: readonly string[]): Matches {
  const found = /^([^=!]+)(!=|==|=)(.*)$/.exec(part);
  if (!found) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
  const [, key, operator, value] = found as unknown as [string, string, string, string];
  if (!known.includes(key)) throw badRequest(`field label not supported: ${key}`);
  return operator === '!=' ? (fields) => (fields[key] ?? '') !== value : (fields) => (fields[key] ?? '') === value;
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index += 1) {
    const character = text[index];
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (index === text.length || (character === ',' && depth === 0)) {
      const part = text.slice(start, index).trim();
      if (part) parts.push(part);
      start = index + 1;
    }
  }
  return parts;
}

function labelTest(part: string): Matches {
  const set = /^(\S+)\s+(in|notin)\s*\((.*)\)$/.exec(part);
  if (set) {
    const [, key, operator, list] = set as unknown as [string, string, string, string];
    const values = new Set(list.split(',').map((value) => value.trim()));
    if (operator === 'in') return (labels) => key in labels && values.has(labels[key] as string);
    return (labels) => !(key in labels) || !values.has(labels[key] as string);
  }
  const comparison = /^([^=!\s]+)\s*(!=|==|=)\s*(\S*)$/.exec(part);
  if (comparison) {
    const [, key, operator, value] = comparison as unknown as [string, string, string, string];
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  if (/^!\s*[^\s=!]+$/.test(part)) {
    const key = part.slice(1).trim();
    return (labels) => !(key in labels);
  }
  if (/^[^\s=!()]+$/.test(part)) return (labels) => part in labels;
  throw badRequest(`unable to parse requirement: ${part}`);
}

interface SelectorObject {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** A `metav1.LabelSelector`; nothing given selects everything. */
export function matchesSelectorObject(selector: SelectorObject | undefined, labels: Record<string, string>): boolean {
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) if (labels[key] !== value) return false;
  return (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === 'In') return value !== undefined && values.includes(value);
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    if (operator === 'Exists') return value !== undefined;
    return value === undefined;
  });
}
