import {
  backOffIsForeseen,
  begunIsFinished,
  emptyImageIsAnUpgrade,
  generationTags,
  resetComesFirst,
  rollbackAborts,
} from './better-upgrades.js';
import { exactSelectorOverlap, hotPairNamesAreTaken } from './conflicts.js';
import { markedOnce, partialIsStable } from './injected-pods.js';
import { podFieldsSurvive, unknownFieldsKept } from './newer-fields.js';
import { ownStatus } from './own-status.js';
import { foreignRevision, refusalIsInvalid } from './refusals.js';
import type { OnPurpose } from './rule.js';
import { setsByName } from './set-order.js';
import { startupProbeDefaults } from './startup-probe.js';
import { conversionKeepsAll, namespaceReadBack } from './stored-sets.js';

/**
 * Every way in which Sidestep answers otherwise than OpenKruise 1.9 and means to; anything else is a failure. Each works on what
 * those before it made of OpenKruise's answer.
 */
export const ON_PURPOSE: readonly OnPurpose[] = [
  podFieldsSurvive,
  unknownFieldsKept,
  markedOnce,
  startupProbeDefaults,
  setsByName,
  partialIsStable,
  exactSelectorOverlap,
  hotPairNamesAreTaken,
  foreignRevision,
  refusalIsInvalid,
  namespaceReadBack,
  conversionKeepsAll,
  ownStatus,
  rollbackAborts,
  resetComesFirst,
  emptyImageIsAnUpgrade,
  begunIsFinished,
  generationTags,
  backOffIsForeseen,
];
