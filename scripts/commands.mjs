import path from 'node:path';
import { exitCodeOf } from './setup/command.mjs';
import { runTests } from './test.mjs';

const program =
  (file) =>
  ({ root, env, args }) =>
    exitCodeOf(process.execPath, [path.join(root, file), ...args], { cwd: root, env, stdio: 'inherit' });

const setUpOnly = async () => 0;

/** Every command by its name in package.json; each resolves with the exit code. */
export const commands = {
  setup: setUpOnly,
  demo: program('e2e/dist/demo/main.js'),
  golden: program('e2e/dist/golden/main.js'),
  matrix: program('e2e/dist/matrix/main.js'),
  soak: program('e2e/dist/soak/main.js'),
  bench: program('bench/dist/main.js'),
  test: (context) => runTests(context, 'all'),
  check: (context) => runTests(context, 'check'),
};
