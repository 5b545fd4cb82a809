import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { leaveOut } from '@sidestep/testkit';
import { followStatus } from '../src/status/client.js';
import { statusPath } from '../src/status/path.js';
import { Load } from './load.js';
import { floodWithRandom, refusedForItsProof } from './peer.js';
import { type Fixture, openDescriptors, Pod, until } from './processes.js';
import { SLOW_TEST_MS } from './stage.js';

const EXAMPLE = fileURLToPath(new URL('../../../examples/takeover-go', import.meta.url));
const SLOTS = 4;

/** The second implementation of the protocol, written from docs/reference/takeover-protocol.md, against this one. */
const suite = (): void => {
  const scratch = mkdtempSync(join(tmpdir(), 'sidestep-go-'));
  const program = join(scratch, 'takeover-go');
  let pod: Pod;
  let load: Load | undefined;

  // A checkout of another user is no repository to git, and Go would refuse to stamp it.
  beforeAll(() => void go('build', '-buildvcs=false', '-o', program, '.'), SLOW_TEST_MS);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  beforeEach(async () => {
    pod = await Pod.create();
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
    await pod.close();
  });

  const inGo = (version: string, ...flags: string[]): Fixture =>
    pod.program(program, goFlags(pod.directory, pod.port, version, flags));

  /** Resolves once it owns the listener; says how it came by it. */
  const owning = async (fixture: Fixture): Promise<string> => {
    const { how, status } = await fixture.heard('owner');
    return how ?? status.handover.how;
  };

  const underLoad = async (keepAlive = 0, timeoutMs = 20_000): Promise<Load> => {
    load = new Load({ port: pod.port, short: SLOTS, keepAlive, pauseMs: 3, timeoutMs });
    await load.answered(20);
    return load;
  };

  const answeredBy = async (version: string): Promise<void> => {
    const before = load!.seen.versions.get(version) ?? 0;
    await until(() => (load!.seen.versions.get(version) ?? 0) > before + 10, `${version} answers`);
  };

  const nothingLost = (): void => {
    expect(load!.seen.refused).toBe(0);
    expect(load!.seen.otherErrors).toEqual([]);
  };

  /** Who died had at most one request of each client. */
  const onlyItsOwnLost = (): void => {
    expect(load!.seen.refused).toBe(0);
    expect(load!.seen.otherErrors.length).toBeLessThanOrEqual(2 * SLOTS);
  };

  test(
    'reads and writes the published vectors',
    () => {
      expect(go('test', '-count=1', './...')).toContain('ok');
    },
    SLOW_TEST_MS,
  );

  test(
    'a chain of both implementations in any order loses no connection and no POST',
    async () => {
      await owning(pod.server('n0'));
      const { seen } = await underLoad(4);
      const chain = ['g1', 'g2', 'n3', 'g4', 'n5', 'n6', 'g7'];
      for (const version of chain) {
        const next = version.startsWith('g') ? inGo(version, '--guard=200ms') : pod.server(version);
        expect(await owning(next)).toBe('takeover');
        await answeredBy(version);
      }
      nothingLost();
      expect([...seen.versions.keys()].sort()).toEqual(['g1', 'g2', 'g4', 'g7', 'n0', 'n3', 'n5', 'n6']);
    },
    SLOW_TEST_MS,
  );

  test(
    'a Go process takes kept connections over, so that no client has to connect again',
    async () => {
      await owning(pod.server('n0'));
      load = new Load({ port: pod.port, keepAlive: 6, pauseMs: 3 });
      await load.answered(30);
      const old = pod.server('n1');
      await owning(old);
      await owning(inGo('g2'));
      expect((await old.heard('done')).farewell).toMatchObject({ migrated: 6, drained: 0, killed: 0 });
      await answeredBy('g2');
      nothingLost();
      expect(load.seen.connections).toBe(6);
    },
    SLOW_TEST_MS,
  );

  test(
    'a Go process ends by itself when guard and drain are over, and its counters go on in the next one',
    async () => {
      const first = inGo('g0', '--guard=200ms');
      await owning(first);
      await underLoad(3);
      const second = inGo('g1', '--guard=200ms');
      await owning(second);
      const { reason, counters } = await first.heard('done');
      expect(reason).toBe('drained');
      expect((await first.exited).code).toBe(0);
      await owning(pod.server('n2'));
      const all = (await second.heard('done')).counters.requests;
      expect(all).toBeGreaterThan(counters.requests);
      nothingLost();
    },
    SLOW_TEST_MS,
  );

  describe('when the new one dies before the commit, the old one serves on', () => {
    test(
      'a Go process that is still starting beside ours',
      async () => {
        const old = pod.server('n0');
        await owning(old);
        await underLoad();
        const before = openDescriptors(old.child.pid!) + 2 * SLOTS;
        const dying = inGo('g1', '--warm-up=10m');
        await dying.heard('imported');
        dying.child.kill('SIGKILL');
        await old.heard(({ what }) => what === 'keeps-serving');
        await answeredBy('n0');
        await until(() => openDescriptors(old.child.pid!) <= before, 'descriptors are closed');
        expect(await owning(inGo('g2'))).toBe('takeover');
        await answeredBy('g2');
        nothingLost();
        expect(load!.seen.versions.has('g1')).toBe(false);
      },
      SLOW_TEST_MS,
    );

    test.each(['taker:got:OFFER', 'taker:send:PREPARED', 'taker:got:GO'])(
      'ours beside a Go process, at %s',
      async (point) => {
        const old = inGo('g0');
        await owning(old);
        await underLoad();
        await pod.server('n1', { interrupt: { point, signal: 'SIGKILL' } }).exited;
        await old.heard('keeps-serving');
        await answeredBy('g0');
        await owning(pod.server('n2'));
        await answeredBy('n2');
        nothingLost();
      },
      SLOW_TEST_MS,
    );
  });

  describe('when the old one dies after its socket has come, the new one promotes itself', () => {
    test(
      'a Go process',
      async () => {
        const old = pod.server('n0');
        await owning(old);
        await underLoad();
        const next = inGo('g1', '--warm-up=500ms');
        await next.heard('imported');
        old.child.kill('SIGKILL');
        expect(await owning(next)).toBe('promoted');
        await answeredBy('g1');
        onlyItsOwnLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'ours',
      async () => {
        const old = inGo('g0');
        await owning(old);
        await underLoad();
        const next = pod.server('n1', { interrupt: { point: 'taker:send:PREPARED', signal: 'SIGSTOP' } });
        await next.heard('interrupted');
        old.child.kill('SIGKILL');
        await old.exited;
        next.child.kill('SIGCONT');
        expect(await owning(next)).toBe('promoted');
        await answeredBy('n1');
        onlyItsOwnLost();
      },
      SLOW_TEST_MS,
    );
  });

  describe('when the new one fails after the commit, the old one is the owner again', () => {
    test(
      'a Go process for ours',
      async () => {
        const old = inGo('g0', '--guard=10m');
        await owning(old);
        await underLoad();
        const next = pod.server('n1');
        await owning(next);
        await answeredBy('n1');
        next.child.kill('SIGKILL');
        await old.heard('resumed');
        await answeredBy('g0');
        expect(await owning(pod.server('n2'))).toBe('takeover');
        onlyItsOwnLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'ours for a Go process',
      async () => {
        const old = pod.server('n0', { limits: { guardMs: 600_000 } });
        await owning(old);
        await underLoad();
        const next = inGo('g1');
        await owning(next);
        await answeredBy('g1');
        next.child.kill('SIGKILL');
        await old.heard('resume');
        await answeredBy('n0');
        expect(await owning(inGo('g2'))).toBe('takeover');
        onlyItsOwnLost();
      },
      SLOW_TEST_MS,
    );

    /** A Go process that serves again, because the one that took over from it hangs. */
    const coveredByGo = async () => {
      const old = inGo('g0', '--guard=10m');
      await owning(old);
      await underLoad(0, 1_500);
      const next = pod.server('n1');
      await owning(next);
      next.child.kill('SIGSTOP');
      await old.heard('covers');
      return { old, next };
    };

    test(
      'a Go process covers for one that hangs, and stops when that speaks again',
      async () => {
        const { old, next } = await coveredByGo();
        await answeredBy('g0');
        next.child.kill('SIGCONT');
        await old.heard('steps-back');
        await answeredBy('n1');
        onlyItsOwnLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'a Go process asked to end covers on for one that hangs, and ends when that speaks again',
      async () => {
        const { old, next } = await coveredByGo();
        old.child.kill('SIGTERM');
        await answeredBy('g0');
        next.child.kill('SIGCONT');
        await old.heard('steps-back');
        expect((await old.heard('done')).reason).toBe('terminated');
        expect(old.told.filter(({ event }) => event === 'resumed')).toEqual([]);
        await answeredBy('n1');
        onlyItsOwnLost();
      },
      SLOW_TEST_MS,
    );
  });

  test(
    'the custodian keeps the socket of a Go process that crashes, and gives it back',
    async () => {
      const crashing = inGo('g0');
      await owning(crashing);
      await underLoad();
      pod.agent(['custodian']);
      await until(() => isKept(pod.directory), 'the custodian has its duplicate');
      crashing.child.kill('SIGKILL');
      expect(await owning(inGo('g1'))).toBe('takeover');
      await answeredBy('g1');
      onlyItsOwnLost();
    },
    SLOW_TEST_MS,
  );

  describe('who does not know the secret', () => {
    const strangers = (): string => {
      const directory = mkdtempSync(join(scratch, 'stranger-'));
      symlinkSync(join(pod.directory, 'takeover.sock'), join(directory, 'takeover.sock'));
      return directory;
    };

    test(
      'gets nothing from ours if it is a Go process, which does not believe ours either',
      async () => {
        await owning(pod.server('n0'));
        await underLoad();
        const stranger = pod.program(program, goFlags(strangers(), pod.port, 'g1', []));
        expect((await stranger.exited).code).toBe(1);
        expect(stranger.stderr).toContain('auth-failed');
        await answeredBy('n0');
        nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'gets nothing from a Go process if it is ours, which does not believe that either',
      async () => {
        await owning(inGo('g0'));
        await underLoad();
        const failed = await pod.server('n1', { directory: strangers() }).heard('failed');
        expect(failed.message).toContain('auth-failed');
        await answeredBy('g0');
        nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'gets nothing from a Go process by a wrong proof',
      async () => {
        await owning(inGo('g0'));
        const refusal = await refusedForItsProof(pod.directory);
        expect(refusal).toEqual({ reason: 'auth-failed', sent: ['CHALLENGE', 'ABORT'] });
      },
      SLOW_TEST_MS,
    );
  });

  test(
    'random frames harm a Go process as little as ours',
    async () => {
      const old = inGo('g0');
      await owning(old);
      await underLoad();
      const before = openDescriptors(old.child.pid!) + 2 * SLOTS;
      await floodWithRandom(pod.directory, 40, 100);
      await until(() => openDescriptors(old.child.pid!) <= before, 'every descriptor is closed');
      expect(await owning(pod.server('n1'))).toBe('takeover');
      await answeredBy('n1');
      nothingLost();
    },
    SLOW_TEST_MS,
  );
};

async function isKept(directory: string): Promise<boolean> {
  const { status } = await followStatus(statusPath(directory, 'main'), ({ reason }) => reason === 'keeping', 5_000);
  return status?.reason === 'keeping';
}

function go(...args: string[]): string {
  return execFileSync('go', args, { cwd: EXAMPLE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function goFlags(directory: string, port: number, version: string, more: string[]): string[] {
  return [`--directory=${directory}`, `--listen=127.0.0.1:${port}`, `--version=${version}`, ...more];
}

function whyNot(): string | undefined {
  try {
    go('version');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const missing = whyNot();
describe('the take-over protocol in Go', () => {
  if (missing === undefined) suite();
  else {
    test('is left out of this run, with the reason', () => {
      leaveOut('the take-over protocol in Go', missing);
      expect(missing).not.toBe('');
    });
  }
});
