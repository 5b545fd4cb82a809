import { StringDecoder } from 'node:string_decoder';
import { KubeError } from '../error.js';
import { parseJson } from '../exact-json.js';

/** Larger than any object that etcd takes; a line beyond it is not a watch event. */
const LONGEST_LINE = 32 * 1024 * 1024;

/** Cuts a stream of bytes into lines without their ends, skipping empty ones; an unfinished last line is dropped, as it was cut off. */
export async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let pending: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const text = decoder.write(chunk);
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      pending.push(text.slice(from, at));
      const line = pending.join('').trimEnd();
      pending = [];
      length = 0;
      from = at + 1;
      if (line !== '') yield line;
    }
    pending.push(text.slice(from));
    length += text.length - from;
    if (length > LONGEST_LINE) throw malformed('a line of the watch is longer than any object can be');
  }
}

/** One watch event from its line. Throws `KubeError` with reason `MalformedAnswer` for anything else. */
export function parseWatchLine(line: string): { type: string; object: unknown } {
  let event: unknown;
  try {
    event = parseJson(line);
  } catch {
    throw malformed(`the watch sent a line that is not JSON: ${line.slice(0, 100)}`);
  }
  const { type, object } = (event ?? {}) as { type?: unknown; object?: unknown };
  if (typeof type !== 'string' || typeof object !== 'object' || object === null) {
    throw malformed(`the watch sent a line that is no event: ${line.slice(0, 100)}`);
  }
  return { type, object };
}

const malformed = (message: string) => new KubeError({ status: 0, reason: 'MalformedAnswer', message });
