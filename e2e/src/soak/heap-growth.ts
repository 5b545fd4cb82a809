import type { HeapSample } from './heap-samples.js';

/** Fewer, a minute of them, say nothing about growth: a slow machine takes long to start a program. */
const FEWEST_SAMPLES = 30;

export interface HeapGrowth {
  samples: number;
  /** Megabytes at the first and at the last look of the second half, smoothed. */
  middleMb: number;
  endMb: number;
  /** The straight line through the second half: what was taken up at the start (caches, compiled code) is not growth. */
  mbPerMinute: number;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** Undefined where the process was watched too shortly, as one that was just replaced. */
export const heapGrowth = (samples: readonly HeapSample[]): HeapGrowth | undefined => {
  if (samples.length < FEWEST_SAMPLES) return undefined;
  const half = samples.slice(Math.floor(samples.length / 2));
  const minutes = half.map(({ atMs }) => (atMs - half[0]!.atMs) / 60_000);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const megabytes = half.map((sample) => sample.megabytes);
  const [x, y] = [mean(minutes), mean(megabytes)];
  const spread = minutes.reduce((sum, minute) => sum + (minute - x) ** 2, 0);
  const slope = minutes.reduce((sum, minute, at) => sum + (minute - x) * (megabytes[at]! - y), 0) / (spread || 1);
  const at = (minute: number): number => round(y + slope * (minute - x));
  return { samples: samples.length, middleMb: at(0), endMb: at(minutes.at(-1)!), mbPerMinute: round(slope) };
};

/** Work under way comes and goes by some megabytes. */
const NOISE_MB = 12;
/** What is left of a leak once the noise is out: half an hour of soaking shows it. */
const MOST_MB_PER_MINUTE = 0.5;

/** One sentence for a heap that grows, however slowly, by more than work under way explains. */
export const growthProblem = (name: string, growth: HeapGrowth): string | undefined => {
  const { middleMb, endMb, mbPerMinute } = growth;
  const grown = endMb - middleMb;
  if (grown <= NOISE_MB || mbPerMinute <= MOST_MB_PER_MINUTE) return undefined;
  return `the heap of ${name} grew from ${middleMb} to ${endMb} MB in the second half (${mbPerMinute} MB a minute)`;
};
