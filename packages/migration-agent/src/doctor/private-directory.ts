import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { followStatus } from '../status/client.js';
import { statusPath } from '../status/path.js';
import type { Examined } from './examined.js';
import { error, type Finding, ok, warning } from './finding.js';

const CHECK = 'private-directory';
const ANSWER_MS = 2_000;

/** Looks only: `run` creates the directory and closes it to others, and here nothing must change. */
export function directoryFindings({ config }: Examined): Finding[] {
  const where = config.directory;
  const facts = lstatSync(where, { throwIfNoEntry: false });
  const mount = 'Mount an emptyDir (medium: Memory) there in the sidecar container only.';
  if (!facts) return [error(CHECK, where, 'does not exist', mount)];
  if (!facts.isDirectory()) return [error(CHECK, where, 'is no directory', mount)];
  const own = process.getuid?.() ?? 0;
  const mine = facts.uid === own ? where : join(where, `user-${own}`);
  return [isMounted(where), ownership(mine, own)];
}

function isMounted(where: string): Finding {
  const point = mountPoints().find(({ path }) => path === where);
  if (point) return ok(CHECK, where, `is a mount of its own (${point.type})`);
  if (lstatSync(where).dev !== lstatSync(dirname(where)).dev) return ok(CHECK, where, 'is a mount of its own');
  const advice =
    'Mount one emptyDir there in the sidecar container; the second container of the pair gets the same mount.';
  return warning(CHECK, where, 'is no mount, so the other container of the pair cannot see it', advice);
}

function ownership(path: string, own: number): Finding {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (!facts) return ok(CHECK, path, 'will be created for this user');
  if (facts.uid !== own) {
    return error(
      CHECK,
      path,
      `belongs to user ${facts.uid}`,
      `Run both containers as user ${own}, or as ${facts.uid}.`,
    );
  }
  const mode = (facts.mode & 0o777).toString(8);
  if ((facts.mode & 0o077) === 0) return ok(CHECK, path, `belongs to this user alone (mode 0${mode})`);
  return warning(
    CHECK,
    path,
    `is open to others (mode 0${mode})`,
    'The agent closes it when it starts; nothing to do if it has not run yet.',
  );
}

function mountPoints(): { path: string; type: string }[] {
  const lines = attempt(() => readFileSync('/proc/self/mountinfo', 'utf8').split('\n'), []);
  return lines.filter(Boolean).map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    return { path: before.split(' ')[4] ?? '', type: after.split(' ')[0] ?? '' };
  });
}

/** Whether this container's agent answers, and whether the other one's does. */
export async function agentFindings({ config }: Examined): Promise<Finding[]> {
  const own = process.getuid?.() ?? 0;
  const entries = [config.directory, join(config.directory, `user-${own}`)].flatMap((directory) =>
    attempt(() => readdirSync(directory), []).map((name) => ({ directory, name })),
  );
  const slots = entries.flatMap(({ directory, name }) => {
    const slot = /^status\.(.+)\.sock$/.exec(name)?.[1];
    return slot === undefined ? [] : [{ directory, slot }];
  });
  const seen = await Promise.all(
    slots.map(async (at) => ({
      ...at,
      ...(await followStatus(statusPath(at.directory, at.slot), () => true, ANSWER_MS)),
    })),
  );
  const mine = seen.find(({ slot }) => slot === config.slot);
  const others = seen.filter(({ slot, status }) => slot !== config.slot && status);
  return [agentOf(config.slot, mine), ...(config.hint ? [peerOf(config.directory, others)] : [])];
}

type Seen = Awaited<ReturnType<typeof followStatus>> & { slot: string };

function agentOf(slot: string, mine: Seen | undefined): Finding {
  const status = mine?.status;
  const where = `slot ${slot}`;
  if (!status)
    return warning(
      'agent',
      where,
      'no agent of this container answers',
      'Start the container with `sidestep-agent run`.',
    );
  const said = `${status.role} (${status.reason}) ${status.message}`;
  return status.role === 'aborted'
    ? error('agent', where, said, 'The log of this container says more; whoever served before still does.')
    : ok('agent', where, said);
}

function peerOf(directory: string, others: Seen[]): Finding {
  const [other] = others;
  if (other?.status)
    return ok(
      'peer',
      `slot ${other.slot}`,
      `the other container answers: ${other.status.role} (${other.status.reason})`,
    );
  const advice =
    'Use an image that runs `sidestep-agent custodian` as hotUpgradeEmptyImage, and mount the same emptyDir in both containers.';
  return warning('peer', directory, 'the other container of the pair does not answer here', advice);
}

function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
