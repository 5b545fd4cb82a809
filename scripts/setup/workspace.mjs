// pnpm at its pinned version, the frozen lockfile, and the build: each one skipped when nothing changed since it last succeeded.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { cacheFolder } from './cache.mjs';
import { must, quietly } from './command.mjs';
import { withLock } from './lock.mjs';
import { SetupError, say } from './progress.mjs';

const pinnedPnpm = (root) =>
  JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).packageManager.split('@')[1];

/** The folder that holds the pinned pnpm; fetched once per machine. */
const ensurePnpm = async (root) => {
  const version = pinnedPnpm(root);
  const home = cacheFolder(`pnpm-${version}`);
  const bin = path.join(home, 'node_modules', '.bin');
  await withLock(`${home}.lock`, 'fetching pnpm', async () => {
    if (existsSync(path.join(bin, 'pnpm'))) return;
    say(`Fetching pnpm ${version} …`);
    await must(
      'npm',
      ['install', '--no-audit', '--no-fund', '--prefix', home, `pnpm@${version}`],
      'Is the npm registry reachable?',
      {
        cwd: home,
      },
    );
  });
  return bin;
};

const installKey = (root) => {
  const hash = createHash('sha256').update(process.version).update(pinnedPnpm(root));
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'])
    hash.update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
};

const ensureDependencies = async (root, env) => {
  const stamp = path.join(root, 'node_modules', '.sidestep-installed');
  const key = installKey(root);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  say('Installing dependencies from the lockfile …');
  await must(
    'pnpm',
    // The checkout's .npmrc silences pnpm for the sake of --json; why an install failed must be said.
    ['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=error'],
    'Is the npm registry reachable? A changed package.json needs `pnpm install` and its lockfile committed.',
    {
      cwd: root,
      env: { ...env, CI: 'true' },
    },
  );
  writeFileSync(stamp, key);
};

/** Long enough for a cached build to have ended. */
const SILENT_BUILD_MS = 5_000;

const INTERRUPTED = [128 + constants.signals.SIGINT, 128 + constants.signals.SIGTERM];

const build = async (root, env) => {
  const started = Date.now();
  const notice = setTimeout(() => say('Building …'), SILENT_BUILD_MS);
  const args = ['run', 'build', '--output-logs=errors-only', '--log-prefix=task', '--ui=stream'];
  const { code, output } = await quietly('turbo', args, { cwd: root, env }).finally(() => clearTimeout(notice));
  if (INTERRUPTED.includes(code)) throw new SetupError('The build was interrupted.');
  if (code !== 0) {
    process.stderr.write(output);
    throw new SetupError(`The build failed; the lines above say where. \`pnpm build\` runs it alone.`);
  }
  if (Date.now() - started > SILENT_BUILD_MS)
    say(`Built in ${Math.round((Date.now() - started) / 1000)} s; the next time it comes from the cache.`);
};

/** Brings the checkout to a built state and returns the environment to run its tools in. Two commands at once take turns. */
export const ensureWorkspace = async (root) => {
  const pnpm = await ensurePnpm(root);
  const env = {
    ...process.env,
    PATH: [pnpm, path.join(root, 'node_modules', '.bin'), process.env.PATH].join(path.delimiter),
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    SIDESTEP_ROOT: root,
  };
  await withLock(path.join(root, '.turbo', 'setup.lock'), 'setting this checkout up', async () => {
    await ensureDependencies(root, env);
    await build(root, env);
  });
  return { ...env, SIDESTEP_BUILT: '1' };
};
