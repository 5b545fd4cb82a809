// The agent may import nothing of ours, so what it prints is held against the platform's own validation here.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import {
  defaultSidecarSet,
  formatFieldErrors,
  lookupOf,
  readSidecarSet,
  type SidecarSet,
  sidecarSetWarnings,
  validateAgainstSchema,
  validateSidecarSet,
} from '@sidestep/core';
import { parse } from 'yaml';

const AGENT = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  '../../../packages/migration-agent/bin/sidestep-agent.cjs',
);

function printed(...args: string[]): SidecarSet {
  const text = execFileSync(process.execPath, [AGENT, 'init', '--only', 'sidecarset', ...args], { encoding: 'utf8' });
  return defaultSidecarSet(readSidecarSet(parse(text)));
}

describe.each(['activation', 'envoy', 'nginx', 'haproxy', 'mosn', 'exec'])(
  'the SidecarSet that `init` prints for %s',
  (adapter) => {
    test('is one that admission takes', () => {
      const set = printed('--adapter', adapter);
      const others = { others: [], revisions: lookupOf([]) };
      expect(formatFieldErrors([...validateAgainstSchema(set), ...validateSidecarSet(set, others)])).toBe('');
    });

    test('gets no warning once the empty image has a digest', () => {
      const digest = `sidestep/custodian:1@sha256:${'5e'.repeat(32)}`;
      const set = printed('--adapter', adapter, '--name', 'mesh', '--empty-image', digest);
      expect(sidecarSetWarnings(set, [set])).toEqual([]);
      expect(set.spec.containers?.[0]).toMatchObject({
        name: 'mesh',
        upgradeStrategy: { hotUpgradeEmptyImage: digest },
      });
    });
  },
);
