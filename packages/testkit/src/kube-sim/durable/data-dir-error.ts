/** Why a data directory cannot be used; same shape as the errors of the other rooms. */
export class DataDirError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly retry = 'never';

  constructor(code: string, message: string, hint: string) {
    super(message);
    this.name = 'DataDirError';
    this.code = code;
    this.hint = hint;
  }
}

/** Runs what touches files; what the system refuses is told in one sentence. */
export function onDisk<T>(doing: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new DataDirError(
      code ?? 'EIO',
      `${doing}: ${code}`,
      'Give a folder that can be written to, with space left.',
    );
  }
}
