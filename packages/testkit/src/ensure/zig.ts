import { isExecutable } from './run-command.js';
import { fetchWheelProgram, WHEELS, WheelUnavailable, wheelProgram } from './wheel.js';

/** Path of the Zig that cross-compiles the agent's native parts, always the same one. Rejects with WheelUnavailable. */
export async function findZig({ download }: { download: boolean }): Promise<string> {
  if (download) return fetchWheelProgram(WHEELS.zig);
  const program = wheelProgram(WHEELS.zig);
  if (await isExecutable(program)) return program;
  throw new WheelUnavailable(WHEELS.zig, 'run `npm test -- --all` once to fetch it');
}
