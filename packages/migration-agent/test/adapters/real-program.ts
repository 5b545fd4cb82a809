import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { findProxy, leaveOut, type PackagedProxy } from '@sidestep/testkit';

/** Runs the tests with the real program, or says loudly why it cannot. */
export async function withRealProxy(proxy: PackagedProxy, tests: (program: string) => void): Promise<void> {
  const contained = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
  const found = await findProxy(proxy, { download: false }).catch((error: Error) => error);
  if (typeof found === 'string' && contained) {
    tests(found);
    return;
  }
  const why =
    typeof found === 'string' ? 'needs pid namespaces as containers have them (unshare, as root)' : found.message;
  describe(`the ${proxy} adapter`, () => {
    test('is left out of this run, with the reason', () => {
      leaveOut(`the agent's ${proxy} adapter with the real program`, why);
      expect(why).not.toBe('');
    });
  });
}
