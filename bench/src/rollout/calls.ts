/** Calls to the API server by `verb resource`, those that were refused by `verb resource status`, as programs count them. */
export type Calls = Map<string, number>;

const CALL = /^sidestep_kube_call_seconds_count\{(.*)\} (\S+)$/;
const label = (labels: string, name: string): string => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? '';

/** Reads them from `/metrics`. */
export const readCalls = async (metricsUrl: string): Promise<Calls> => {
  const calls: Calls = new Map();
  for (const line of (await (await fetch(metricsUrl)).text()).split('\n')) {
    const [, labels, count] = CALL.exec(line) ?? [];
    if (labels === undefined) continue;
    const [verb, resource, status] = ['verb', 'resource', 'status'].map((name) => label(labels, name));
    const key = status?.startsWith('2') ? `${verb} ${resource}` : `${verb} ${resource} ${status}`;
    calls.set(key, (calls.get(key) ?? 0) + Number(count));
  }
  return calls;
};

/** Those of several programs together. */
export const sumCalls = (all: readonly Calls[]): Calls => {
  const sum: Calls = new Map();
  for (const calls of all) for (const [key, count] of calls) sum.set(key, (sum.get(key) ?? 0) + count);
  return sum;
};

/** Those made in between. */
export const callsSince = (before: Calls, after: Calls): Calls =>
  new Map([...after].map(([key, count]) => [key, count - (before.get(key) ?? 0)]));

export const describeCalls = (calls: Calls): string =>
  [...calls]
    .filter(([, count]) => count > 0)
    .map(([key, count]) => `${key} ${count}`)
    .join(', ');

export const totalOf = (calls: Calls, matches: (key: string) => boolean = () => true): number =>
  [...calls].reduce((sum, [key, count]) => sum + (matches(key) ? count : 0), 0);
