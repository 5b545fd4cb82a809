import { open } from 'node:fs/promises';

/** https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/#customizing-the-termination-message */
const FILE_LIMIT = 4096;
const LOG_LIMIT = 2048;
const LOG_LINES = 80;

/** The end of a file, at most `limit` bytes; empty when there is no such file. */
async function tail(file: string, limit: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, limit);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await handle.close();
  }
}

/** What the container left as its last words: its termination file, or for a failure under the fallback policy the end of its log. */
export async function terminationMessage(options: {
  file: string;
  logFile: string;
  policy: string | undefined;
  exitCode: number;
}): Promise<string | undefined> {
  const written = await tail(options.file, FILE_LIMIT);
  if (written !== '') return written;
  if (options.policy !== 'FallbackToLogsOnError' || options.exitCode === 0) return undefined;
  const log = await tail(options.logFile, LOG_LIMIT);
  return (
    log
      .split('\n')
      .slice(-LOG_LINES - 1)
      .join('\n') || undefined
  );
}
