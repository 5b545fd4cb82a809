import { join } from 'node:path';

/** The status socket of one container. Stream and JSON lines, so that anything can read it without the addon. */
export function statusPath(directory: string, slot: string): string {
  return join(directory, `status.${slot}.sock`);
}
