import { GoRegexpError } from './go-regexp-error.js';

/** What `(?ims)` turns on. Greediness is read and has no effect on whether a text matches. */
export interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

interface GroupStart {
  length: number;
  flags: Flags;
  /** False for `(?i)`, which changes flags for the rest of the group around it. */
  isGroup: boolean;
}

const FLAG_NAMES: Record<string, keyof Flags | undefined> = { i: 'ignoreCase', m: 'multiline', s: 'dotAll' };

/** Reads what follows an opening parenthesis. */
export function readGroupStart(rest: string, flags: Flags): GroupStart {
  if (!rest.startsWith('(?')) return { length: 1, flags, isGroup: true };
  const named = /^\(\?P?</.exec(rest);
  if (named && rest.length > named[0].length) return { length: readName(rest, named[0]), flags, isGroup: true };
  return readFlags(rest, flags);
}

function readName(rest: string, start: string): number {
  const end = rest.indexOf('>');
  if (end === -1) throw new GoRegexpError('invalid named capture', rest);
  const capture = rest.slice(0, end + 1);
  if (!/^[A-Za-z0-9_]+$/.test(rest.slice(start.length, end))) {
    throw new GoRegexpError('invalid named capture', capture);
  }
  return capture.length;
}

function readFlags(rest: string, before: Flags): GroupStart {
  const flags = { ...before };
  let isOn = true;
  let sawFlag = false;
  let length = 2;
  for (const char of rest.slice(2)) {
    length += char.length;
    const name = FLAG_NAMES[char];
    if (name !== undefined || char === 'U') {
      if (name !== undefined) flags[name] = isOn;
      sawFlag = true;
    } else if (char === '-' && isOn) {
      isOn = false;
      sawFlag = false;
    } else if ((char === ':' || char === ')') && (isOn || sawFlag)) {
      return { length, flags, isGroup: char === ':' };
    } else break;
  }
  throw new GoRegexpError('invalid or unsupported Perl syntax', rest.slice(0, length));
}
