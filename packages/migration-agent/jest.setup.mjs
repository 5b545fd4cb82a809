// The tests start real processes, which run the build: it must be that of the sources under test.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export default function setup() {
  // `npm test` and `npm run check` have just built everything.
  if (process.env.SIDESTEP_BUILT === '1') return;
  const room = fileURLToPath(new URL('.', import.meta.url));
  const typescript = fileURLToPath(import.meta.resolve('typescript/package.json'));
  execFileSync(process.execPath, [typescript.replace(/package\.json$/, 'bin/tsc'), '-b'], {
    cwd: room,
    stdio: 'inherit',
  });
  for (const script of ['scripts/build-bundle.mjs', 'scripts/build-native.mjs']) {
    execFileSync(process.execPath, [script], { cwd: room, stdio: 'inherit' });
  }
}
