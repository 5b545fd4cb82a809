import { KRUISE } from '../api/keys.js';
import type { CompiledSidecar } from './compile-sidecarset.js';
import { goMapText, goMembers } from './go-json.js';

/**
 * Adds what tells the halves of hot pairs apart: which one works, and the versions that both see in their env. Entries of other
 * containers stay in the working list; one that cannot be read is begun anew, as in OpenKruise 1.9.
 */
export function annotateHotPairs(annotations: Record<string, string>, sidecars: readonly CompiledSidecar[]): void {
  const hot = sidecars.flatMap(({ name, hotPair }) => (hotPair === undefined ? [] : [{ name, hotPair }]));
  if (hot.length === 0) return;
  const working = readWorking(annotations[KRUISE.workingHotContainer]);
  for (const { name, hotPair } of hot) {
    const [first, second] = hotPair;
    working.set(name, first.name);
    annotations[`${KRUISE.versionPrefix}${first.name}`] = '1';
    annotations[`${KRUISE.versionAltPrefix}${first.name}`] = '0';
    annotations[`${KRUISE.versionPrefix}${second.name}`] = '0';
    annotations[`${KRUISE.versionAltPrefix}${second.name}`] = '1';
  }
  annotations[KRUISE.workingHotContainer] = goMapText(working);
}

/**
 * The working containers by hot sidecar, as Go reads them: an entry that is no text counts as empty, and a text that is no
 * object has none.
 */
export const readWorking = (text: string | undefined): Map<string, string> =>
  new Map([...goMembers(text)].map(([name, value]) => [name, value.kind === 'string' ? value.value : '']));
