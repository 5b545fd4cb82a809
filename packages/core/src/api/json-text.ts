import { type GoJson, parseGoJson } from '../injection/go-json.js';

/** As `JSON.stringify`, for values in which whole numbers that a double cannot hold are `bigint`s. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // What is said of a bigint; other values come from JSON and have nothing that cannot be printed.
    if (error instanceof TypeError) return exactText(value);
    throw error;
  }
}

function exactText(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => exactText(each ?? null)).join(',')}]`;
  const fields = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${exactText(each)}`).join(',')}}`;
}

/** Reads what {@link jsonText} prints. Throws for what is no JSON. */
export const parseJsonText = (text: string): unknown =>
  /\d{16}/.test(text) ? exactValue(parseGoJson(text)) : JSON.parse(text);

function exactValue(json: GoJson): unknown {
  switch (json.kind) {
    case 'object':
      return Object.fromEntries([...json.members].map(([name, member]) => [name, exactValue(member)]));
    case 'array':
      return json.items.map(exactValue);
    case 'number':
      return exactNumber(json.text);
    default:
      return JSON.parse(json.text);
  }
}

function exactNumber(text: string): number | bigint {
  const number = Number(text);
  return /^-?\d+$/.test(text) && text !== '-0' && String(number) !== text ? BigInt(text) : number;
}
