import { badRequest, noSuchPath } from './api-error.js';
import type { FaultRule } from './faults.js';
import type { KubeSim } from './types.js';

/** What can be steered from outside. */
export type Steerable = Pick<KubeSim, 'faults' | 'setService' | 'resetStats'> & { stats(): object };

type Plain = Record<string, unknown>;

const EFFECTS = [
  'status',
  'delay',
  'hang',
  'disconnect',
  'disconnectAfter',
  'hangAfter',
  'dropEvent',
  'duplicateEvent',
  'delayEvent',
];

/**
 * The handle over HTTP, for other processes:
 * `GET|DELETE /sim/stats` · `GET|POST|DELETE /sim/faults` · `DELETE /sim/faults/ID` · `POST /sim/cut-watches {resource?}` ·
 * `POST /sim/compact` · `POST /sim/freeze {ms?}` · `POST /sim/thaw` · `PUT /sim/services {"ns/name": url}`.
 */
export function answerAdmin(sim: Steerable, method: string, pathname: string, body: unknown): object {
  const [topic = '', id] = pathname.split('/').slice(2);
  const given = (body ?? {}) as Plain;
  switch (`${method} ${topic}`) {
    case 'GET stats':
      return sim.stats();
    case 'DELETE stats':
      sim.resetStats();
      return {};
    case 'GET faults':
      return { faults: sim.faults.list() };
    case 'POST faults':
      return { id: sim.faults.add(checkedRule(given)) };
    case 'DELETE faults':
      if (id) sim.faults.remove(id);
      else sim.faults.clear();
      return {};
    case 'POST cut-watches':
      return { cut: sim.faults.cutWatches(given.resource as string | undefined) };
    case 'POST compact':
      sim.faults.compact();
      return {};
    case 'POST freeze':
      sim.faults.freeze(given.ms as number | undefined);
      return {};
    case 'POST thaw':
      sim.faults.thaw();
      return {};
    case 'PUT services':
      for (const [key, url] of Object.entries(given)) {
        const [namespace = '', name = ''] = key.split('/');
        sim.setService(namespace, name, String(url));
      }
      return {};
    default:
      throw noSuchPath();
  }
}

function checkedRule(given: Plain): FaultRule {
  const kind = (given.effect as Plain | undefined)?.kind;
  if (!EFFECTS.includes(String(kind))) throw badRequest(`a fault needs an effect of kind ${EFFECTS.join(', ')}`);
  return given as unknown as FaultRule;
}
