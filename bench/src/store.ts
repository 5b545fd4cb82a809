import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Pod, podProjection } from '@sidestep/core';
import { type KubeApi, type KubeObject, type ListOptions, Reflector, Store } from '@sidestep/kube';
import type { Bench, BenchContext, Row } from './bench.js';
import { allowFlags, numbersFlag } from './flags/flags.js';
import { realisticPodJson } from './pods/realistic-pod.js';

/** What the planner may need: for each pod, and once for what many pods have in common. Ten thousand pods: 22 MB. */
const BYTES_PER_PROJECTED_POD = 1_800;
const SHARED_BYTES = 4_000_000;

const PODS = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

/** Lists that many pods page by page, each parsed from text as it comes from the network, and then watches in silence. */
function apiWith(pods: number): KubeApi {
  const list = async (_: unknown, options: ListOptions = {}) => {
    const from = Number(options.continue ?? 0);
    const to = Math.min(pods, from + (options.limit ?? pods));
    const items = Array.from({ length: to - from }, (_, i) => JSON.parse(realisticPodJson(from + i)) as KubeObject);
    return { items, metadata: { resourceVersion: '1', ...(to < pods ? { continue: String(to) } : {}) } };
  };
  const watch = async function* (_kind: unknown, _options: unknown, signal: AbortSignal) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  };
  return { list, watch } as unknown as KubeApi;
}

const TRANSFORMS: Record<string, (() => (pod: KubeObject) => object) | undefined> = {
  'whole objects': undefined,
  'without managedFields': () => (pod) => {
    const { managedFields: _, ...metadata } = pod.metadata;
    return { ...pod, metadata };
  },
  'what the planner reads': () => {
    const project = podProjection();
    return (pod) => project(pod as unknown as Pod);
  },
};

async function measure(name: string, pods: number, collect: () => void): Promise<Row> {
  collect();
  const before = process.memoryUsage().heapUsed;
  const startedAt = performance.now();
  const transform = TRANSFORMS[name]?.();
  const store = new Store<object>({ indexes: { node: (pod) => [(pod as Pod).spec.nodeName ?? ''] } });
  const reflector = new Reflector<object>({
    api: apiWith(pods),
    kind: PODS,
    store,
    ...(transform ? { transform } : {}),
  });
  reflector.start();
  await reflector.synced();
  const ms = performance.now() - startedAt;
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  const isComplete = store.size === pods && store.countBy('node', 'node-0') === Math.ceil(pods / 300);
  const fits = name !== 'what the planner reads' || bytes <= pods * BYTES_PER_PROJECTED_POD + SHARED_BYTES;
  await reflector.stop();
  return {
    name,
    ok: isComplete && fits,
    pods,
    heapMB: bytes / 1e6,
    bytesPerPod: Math.round(bytes / pods),
    listMs: Math.round(ms),
  };
}

/** Collects garbage now: heap sizes mean nothing otherwise. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

export const bench: Bench = {
  name: 'store',
  description: 'heap of the pods that a reflector holds, whole and cut down; --pods N (default 10000, quick 2000)',
  async run({ quick, args, say }: BenchContext): Promise<Row[]> {
    allowFlags(args, ['--pods']);
    const pods = numbersFlag(args, '--pods', [quick ? 2_000 : 10_000])[0] as number;
    const collect = garbageCollector();
    say(`${pods} pods of ${realisticPodJson(1).length} bytes`);
    const rows: Row[] = [];
    for (const name of Object.keys(TRANSFORMS)) rows.push(await measure(name, pods, collect));
    return rows;
  },
};
