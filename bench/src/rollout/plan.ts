import { type ParseArgsConfig, parseArgs } from 'node:util';
import { WrongArguments } from '../flags/flags.js';

const BY = ['sidestep', 'sidestep-keep', 'openkruise', 'openkruise-calls'] as const;

/** One rollout to measure. */
export interface Run {
  api: 'kube-sim' | 'real';
  mode: 'cold' | 'hot';
  pods: number;
  workers: number;
  /** Calls per second of each process; undefined: what the upgrade worker is shipped with. */
  qps: number | undefined;
  /** How long the kubelets take for a change. */
  kubeletMs: number;
  /** Who rolls out: Sidestep, Sidestep that leaves managedFields alone, OpenKruise itself, or OpenKruise's calls one after another. */
  by: (typeof BY)[number];
  /** OpenKruise's source with its program built in it; undefined unless it is run. */
  kruise: string | undefined;
  /** Rollouts of the same pods, one after another. */
  rounds: number;
  /** Where kube-apiserver's CPU profiles go; undefined: none are taken. */
  profiles: string | undefined;
}

/** What the pods run once that rollout is over. */
export const imageOf = (round: number): string => `mesh:v${round + 1}`;

export const roundName = (round: number): string => (round === 1 ? '' : `, rollout ${round}`);

const list = <T>(text: string, read: (word: string) => T): T[] => text.split(',').map(read);

const parse = <T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> => {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new WrongArguments((error as Error).message);
  }
};

const whole = (word: string): number => {
  if (!/^\d+$/.test(word)) throw new WrongArguments(`"${word}" is not a whole number`);
  return Number(word);
};

const oneOf =
  <T extends string>(...allowed: T[]) =>
  (word: string): T => {
    if (!allowed.includes(word as T)) throw new WrongArguments(`"${word}" is none of ${allowed.join(', ')}`);
    return word as T;
  };

const refuseUnlessItCanRun = ({ api, kruise }: Run): void => {
  if (api !== 'real') throw new WrongArguments('OpenKruise itself runs on the real API server only: --api real');
  if (kruise === undefined)
    throw new WrongArguments(
      '--by openkruise wants --kruise FOLDER: its source, with `go build -o manager .` run in it',
    );
};

/** Every combination of the flags, those of one platform next to each other. Throws `WrongArguments` for a flag that cannot be read. */
export const planRuns = (args: readonly string[], quick: boolean): Run[] => {
  const { values } = parse({
    args: [...args],
    options: {
      api: { type: 'string', default: 'kube-sim' },
      mode: { type: 'string', default: 'cold,hot' },
      pods: { type: 'string', default: quick ? '100' : '200,1000' },
      workers: { type: 'string', default: quick ? '1' : '1,2' },
      qps: { type: 'string', default: 'shipped' },
      'kubelet-ms': { type: 'string', default: '0' },
      by: { type: 'string', default: 'sidestep' },
      kruise: { type: 'string' },
      rounds: { type: 'string', default: '1' },
      profile: { type: 'string' },
    },
  });
  const runs: Run[] = [];
  const common = {
    kubeletMs: whole(values['kubelet-ms']),
    rounds: Math.max(1, whole(values.rounds)),
    profiles: values.profile,
    kruise: values.kruise,
  };
  for (const api of list(values.api, oneOf('kube-sim', 'real')))
    for (const workers of list(values.workers, whole))
      for (const qps of list(values.qps, (word) => (word === 'shipped' ? undefined : whole(word))))
        for (const pods of list(values.pods, whole))
          for (const mode of list(values.mode, oneOf('cold', 'hot')))
            for (const by of list(values.by, oneOf(...BY)))
              if (by !== 'openkruise-calls' || mode === 'hot')
                runs.push({ api, workers, qps, pods, mode, by, ...common });
  for (const run of runs) if (run.by === 'openkruise') refuseUnlessItCanRun(run);
  return runs;
};
