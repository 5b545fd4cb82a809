import {
  backOffIsForeseen,
  emptyImageIsAnUpgrade,
  generationTags,
  resetComesFirst,
  rollbackAborts,
} from './better-upgrades.js';
import { markedOnce, partialIsStable, podFieldsSurvive, setsByName } from './injected-pods.js';
import { exactSelectorOverlap, foreignRevision, hotPairNamesAreTaken, refusalIsInvalid } from './refusals.js';
import type { OnPurpose } from './rule.js';
import { startupProbeDefaults } from './startup-probe.js';
import { conversionKeepsAll, namespaceReadBack, ownStatus, unknownFieldsKept } from './stored-sets.js';

/** Every way in which Sidestep answers otherwise than OpenKruise 1.9 and means to. Anything else is a failure. */
export const ON_PURPOSE: readonly OnPurpose[] = [
  refusalIsInvalid,
  startupProbeDefaults,
  markedOnce,
  setsByName,
  podFieldsSurvive,
  partialIsStable,
  hotPairNamesAreTaken,
  exactSelectorOverlap,
  foreignRevision,
  namespaceReadBack,
  conversionKeepsAll,
  unknownFieldsKept,
  ownStatus,
  rollbackAborts,
  resetComesFirst,
  emptyImageIsAnUpgrade,
  generationTags,
  backOffIsForeseen,
];
