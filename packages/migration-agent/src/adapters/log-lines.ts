import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

const LONGEST_LINE = 8_192;

/** To start a program with, whose output is looked at and passed on. */
export const READ_OUTPUT = ['inherit', 'pipe', 'pipe'] as const;

/** Passes a program's output on as it is and calls for each line of it. Returns a function that ends the looking, not the passing. */
export function followLines(child: ChildProcess, onLine: (line: string) => void): () => void {
  const ends = [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ].map(([from, to]) => {
    if (!from || !to) return () => undefined;
    (from as Readable).pipe(to as NodeJS.WriteStream, { end: false });
    return lines(from as Readable, onLine);
  });
  return () => {
    for (const end of ends) end();
  };
}

/** A line without an end must not grow for ever: what exceeds the limit is looked at in parts. */
function lines(from: Readable, onLine: (line: string) => void): () => void {
  let rest = '';
  const onData = (chunk: Buffer): void => {
    const parts = (rest + chunk.toString('utf8')).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > LONGEST_LINE) {
      parts.push(rest);
      rest = '';
    }
    for (const part of parts) onLine(part);
  };
  from.on('data', onData);
  return () => void from.off('data', onData);
}

/** Resolves at the first line that fits. @throws Error that says what is missing when `gone` comes first. */
export function firstLine(
  child: ChildProcess,
  fits: (line: string) => boolean,
  gone: AbortSignal,
  missing: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onGone = (): void => {
      stop();
      reject(new Error(missing));
    };
    const stop = followLines(child, (line) => {
      if (!fits(line)) return;
      gone.removeEventListener('abort', onGone);
      stop();
      resolve();
    });
    if (gone.aborted) onGone();
    else gone.addEventListener('abort', onGone, { once: true });
  });
}
