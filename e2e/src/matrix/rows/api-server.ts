import { apiServer } from '../acts/api-server.js';
import { lasts } from '../acts/node.js';
import { imageBecomes, podIs } from '../acts/phases.js';
import { type Act, CANNOT_PULL, type MatrixRow } from '../row.js';

const upgrade = imageBecomes('v2');

const row = (name: string, act: Act[], more: Partial<MatrixRow> = {}): MatrixRow => ({
  name: `API server: ${name}`,
  act,
  expect: { runs: 'v2' },
  ...more,
});

const failing = (name: string, says: string, effect: Parameters<typeof apiServer.failsPodWrites>[1], count = 4) =>
  row(name, [apiServer.failsPodWrites(says, effect, count), upgrade]);

const everySecond = (name: string, says: string, effect: Parameters<typeof apiServer.failsEverySecond>[1]) =>
  row(name, [apiServer.failsEverySecond(says, effect), upgrade, lasts(4), apiServer.recovers], {
    given: { pods: 2 },
    alone: true,
  });

/** What goes wrong between Sidestep and the API server. */
export const apiServerRows: readonly MatrixRow[] = [
  { ...failing('409 to pod writes', 'meet a conflict', { kind: 'status', code: 409 }, 8), quick: true },
  failing('429 to pod writes', 'are answered 429', { kind: 'status', code: 429, retryAfterSeconds: 1 }),
  failing('500 to pod writes', 'are answered 500', { kind: 'status', code: 500 }),
  failing('pod writes time out undone', 'are never answered nor done', { kind: 'hang' }, 1),
  failing('pod writes time out done', 'are done but never answered', { kind: 'hangAfter' }, 1),
  failing('connection lost before pod writes', 'lose their connection, undone', { kind: 'disconnect' }),
  {
    ...failing('connection lost after pod writes', 'lose their connection, done', { kind: 'disconnectAfter' }),
    quickOnReal: true,
  },
  everySecond('429 to every second request', 'is answered 429', { kind: 'status', code: 429, retryAfterSeconds: 1 }),
  everySecond('500 to every second request', 'is answered 500', { kind: 'status', code: 500 }),
  everySecond('slow', 'takes 500 ms longer', { kind: 'delay', ms: 500 }),
  row('watches cut', [upgrade, podIs('upgrading'), apiServer.cutsWatches, apiServer.cutsWatches], { alone: true }),
  row('410 Gone to every watch', [upgrade, podIs('upgrading'), apiServer.compacts], {
    alone: true,
    quickOnReal: true,
    given: { pods: 2 },
  }),
  row(
    'a cache without news through a whole upgrade',
    [apiServer.losesPodEvents, upgrade, lasts(6), apiServer.recovers, apiServer.cutsWatches],
    { given: { pods: 2 }, quickOnReal: true },
  ),
  row(
    'a cache without news while pods fail',
    [apiServer.losesPodEvents, imageBecomes('absent'), lasts(6), apiServer.recovers, apiServer.cutsWatches],
    { given: { pods: 2 }, expect: { aborts: CANNOT_PULL } },
  ),
  row('events twice, late and out of order', [apiServer.disordersPodEvents, upgrade], { given: { pods: 2 } }),
  row('away for longer than a lease', [upgrade, podIs('upgrading'), apiServer.freezes, lasts(8), apiServer.thaws], {
    alone: true,
    given: { pods: 2 },
  }),
];
