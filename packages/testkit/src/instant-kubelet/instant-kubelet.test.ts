import { afterEach, expect, test } from '@jest/globals';
import type { KubeApi, KubeObject } from '@sidestep/kube';
import { until } from '../bound-process/until.js';
import { type InstantKubelet, startInstantKubelet } from './instant-kubelet.js';

type Event = { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject };

const aPod = (name: string, version: number, image: string, more: object = {}): KubeObject => ({
  metadata: { name, namespace: 'shop', uid: `uid-of-${name}`, resourceVersion: String(version), ...more },
  spec: { nodeName: 'instant-1', containers: [{ name: 'app', image }] },
});

/** An API server whose watch is told by the test what to bring, so that it can be late. */
class LateApi {
  readonly reports: { pod: string; status: object }[] = [];
  refuse = 0;
  private readonly news: Event[] = [];
  private wake: () => void = () => undefined;

  tell(...events: Event[]): void {
    this.news.push(...events);
    this.wake();
  }

  async list(): Promise<unknown> {
    return { items: [], metadata: { resourceVersion: '1' } };
  }

  async *watch(_kind: unknown, _options: unknown, signal: AbortSignal): AsyncGenerator<Event> {
    while (!signal.aborted) {
      const event = this.news.shift();
      if (event !== undefined) {
        yield event;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async patch(_kind: unknown, { name }: { name: string }, { status }: { status: object }): Promise<object> {
    if (this.refuse > 0) {
      this.refuse -= 1;
      throw new Error('refused');
    }
    this.reports.push({ pod: name, status });
    return {};
  }
}

let kubelet: InstantKubelet | undefined;
afterEach(() => kubelet?.stop());

const start = async (): Promise<LateApi> => {
  const api = new LateApi();
  kubelet = startInstantKubelet({ api: api as unknown as KubeApi });
  await kubelet.synced();
  return api;
};

const reported = (api: LateApi): string[] => api.reports.map(({ pod }) => pod);

test('a pod that others change before its report is seen is not reported again', async () => {
  const api = await start();
  api.tell({ type: 'ADDED', object: aPod('a', 2, 'app:1') });
  await until(() => api.reports.length === 1, 'the first report');
  api.tell({ type: 'MODIFIED', object: aPod('a', 3, 'app:1', { labels: { touched: 'yes' } }) });
  api.tell({ type: 'ADDED', object: aPod('b', 4, 'app:1') });
  await until(() => reported(api).includes('b'), 'the report of a pod that came later');
  expect(reported(api)).toEqual(['a', 'b']);
});

test('a change of the image is reported, also before the report of the one before is seen', async () => {
  const api = await start();
  api.tell({ type: 'ADDED', object: aPod('a', 2, 'app:1') });
  await until(() => api.reports.length === 1, 'the first report');
  api.tell({ type: 'MODIFIED', object: aPod('a', 3, 'app:2') });
  await until(() => api.reports.length === 2, 'the second report');
  expect(api.reports[1]?.status).toMatchObject({ containerStatuses: [{ image: 'app:2' }] });
});

test('a report that failed is made again', async () => {
  const api = await start();
  api.refuse = 2;
  api.tell({ type: 'ADDED', object: aPod('a', 2, 'app:1') });
  await until(() => api.reports.length === 1, 'the report');
  expect(reported(api)).toEqual(['a']);
});
