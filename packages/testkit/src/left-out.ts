import { appendFileSync } from 'node:fs';

/**
 * Notes that a suite did not run because this machine lacks something, so that `npm test` can name it at the end.
 *
 * With `npm test -- --all` everything was fetched beforehand, so a gap is a failure: throws.
 */
export const leaveOut = (what: string, why: string): void => {
  if (process.env.SIDESTEP_REQUIRE_ALL) throw new Error(`${what} cannot run: ${why}`);
  if (process.env.SIDESTEP_LEFT_OUT)
    appendFileSync(process.env.SIDESTEP_LEFT_OUT, `${JSON.stringify({ what, why })}\n`);
};
