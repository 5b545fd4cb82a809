// `npm test` and `pnpm check`: which suites run, in which order, and the closing lines that say what ran and what did not.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exitCodeOf } from './setup/command.mjs';
import { say } from './setup/progress.mjs';

const USAGE = `npm test -- [--all] [jest arguments]

  --all    first gets whatever is missing on this machine (a real API server, proxies) and fails where it cannot
  --help   this text

Without --all, a suite whose programs are not on this machine is left out, and named at the end.`;

// Journeys start whole platforms: two of them at once on a small machine would measure each other.
const STAGES = {
  check: [
    {
      jest: [
        // One process per core: jest keeps one core free, which is half of a small machine.
        '--maxWorkers=100%',
        '--ignoreProjects',
        'e2e',
        'bench',
        '--testPathIgnorePatterns',
        '\\.process\\.test\\.ts$',
        '/migration-agent/test/',
        '/testkit/src/',
        '/dist/',
        '/node_modules/',
      ],
    },
  ],
  all: [
    { jest: ['--maxWorkers=2', '--ignoreProjects', 'e2e', 'bench'] },
    { jest: ['--runInBand', '--selectProjects', 'e2e', 'bench'] },
  ],
};

const jest = (root, env, args) =>
  exitCodeOf(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', path.join(root, 'node_modules/jest/bin/jest.js'), ...args],
    {
      cwd: root,
      env,
    },
  );

const readCounts = (file) => {
  if (!existsSync(file)) return { suites: 0, passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const suites = report.numTotalTestSuites;
  return { suites, passed: report.numPassedTests, failed: report.numFailedTests + report.numRuntimeErrorTestSuites };
};

const checks = (root) => [
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.'], root],
  ['generated reference', process.execPath, [path.join(root, 'scripts/reference.mjs'), '--check'], root],
];

/** Resolves with the exit code; prints one `N passed, N failed` line last. */
export const runTests = async ({ root, env, args }, kind) => {
  if (args.includes('--help')) {
    say(USAGE);
    return 0;
  }
  const all = args.includes('--all');
  const rest = args.filter((argument) => argument !== '--all');
  const scratch = mkdtempSync(path.join(tmpdir(), 'sidestep-test-'));
  const leftOut = path.join(scratch, 'left-out.jsonl');
  const testEnv = { ...env, SIDESTEP_LEFT_OUT: leftOut, ...(all ? { SIDESTEP_REQUIRE_ALL: '1' } : {}) };
  const total = { passed: 0, failed: 0 };
  try {
    for (const [name, file, fileArgs] of checks(root)) {
      const code = await exitCodeOf(file, fileArgs, { cwd: root, env: testEnv });
      say(`${code === 0 ? 'ok  ' : 'FAIL'} ${name}`);
      if (code === 0) total.passed += 1;
      else total.failed += 1;
    }
    if (all) {
      const code = await exitCodeOf(process.execPath, [path.join(root, 'packages/testkit/dist/ensure/main.js')], {
        cwd: root,
        env: testEnv,
      });
      if (code !== 0) total.failed += 1;
    }
    let suites = 0;
    for (const [index, stage] of STAGES[kind].entries()) {
      const report = path.join(scratch, `${index}.json`);
      const code = await jest(root, testEnv, [
        ...stage.jest,
        '--json',
        `--outputFile=${report}`,
        // A deadline against hanging, never a measure of speed.
        '--testTimeout=120000',
        '--passWithNoTests',
        ...rest,
      ]);
      const counts = readCounts(report);
      suites += counts.suites;
      total.passed += counts.passed;
      total.failed += code !== 0 && counts.failed === 0 ? 1 : counts.failed;
    }
    if (rest.length > 0 && suites === 0) {
      say(`No test matches ${rest.join(' ')}; a pattern is matched against the paths of test files.`);
      total.failed += 1;
    }
    const missing = existsSync(leftOut)
      ? readFileSync(leftOut, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];
    for (const { what, why } of missing) console.log(`LEFT OUT: ${what}: ${why}`);
    console.log(`${total.passed} passed, ${total.failed} failed`);
    return total.failed === 0 ? 0 : 1;
  } finally {
    // A folder that stays says nothing about the tests.
    await rm(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }).catch((error) =>
      say(String(error)),
    );
  }
};
