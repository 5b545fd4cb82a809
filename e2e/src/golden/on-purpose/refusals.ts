import { isObject } from '../compare.js';
import { isAccepted, isAdmitted, setsIn } from './answers.js';
import type { CaseFacts, OnPurpose, RecordedWrite } from './rule.js';

export const refusalIsInvalid: OnPurpose = {
  name: 'refusals are 422',
  sentence:
    'What a user can correct is refused with 422 and the same message; OpenKruise calls it an internal error (500).',
  adjust: ({ expected }) => {
    if (!isObject(expected)) return undefined;
    if (expected.status === 500 && 'message' in expected) return { ...expected, status: 422 };
    if (!isObject(expected.status) || expected.status.code !== 500 || expected.allowed !== false) return undefined;
    return { ...expected, status: { ...expected.status, code: 422 } };
  },
};

export const foreignRevision: OnPurpose = {
  name: 'revisions of other SidecarSets are refused',
  sentence: 'A ControllerRevision named in injectionStrategy must be of this SidecarSet; OpenKruise injects any.',
  adjust: ({ expected }, facts) => {
    if (isAccepted(expected)) {
      const written = facts.writes.at(-1);
      const pinned = written && foreignPin(written, facts);
      const message = `revision: Invalid value: "null": Cannot find specific ControllerRevision, err: ControllerRevision.apps "${pinned}" not found`;
      return pinned === undefined || facts.writeInstead === undefined ? undefined : { status: 500, message };
    }
    if (!isAdmitted(expected)) return undefined;
    const set = setsIn(expected.patched, facts).find((write) => foreignPin(write, facts) !== undefined);
    if (set === undefined) return undefined;
    const message = `ControllerRevision ${foreignPin(set, facts)} does not belong to SidecarSet ${set.posted.metadata.name}`;
    return { allowed: false, status: { message, code: 500 } };
  },
};

/** The revision that a write pins, if another SidecarSet of the case owns it. */
function foreignPin({ posted }: RecordedWrite, { writes }: CaseFacts): string | undefined {
  const pinned = posted.spec?.injectionStrategy?.revision?.revisionName;
  if (pinned === undefined) return undefined;
  const owners = writes.filter(({ recorded }) => recorded?.controllerRevisions?.some(({ name }) => name === pinned));
  const names = new Set(owners.map((owner) => owner.posted.metadata.name));
  return names.size > 0 && !names.has(posted.metadata.name) ? pinned : undefined;
}
