import { ApiServerBinariesMissing, ensureApiServerBinaries } from '@sidestep/testkit';

/** Why no real API server can be started here; undefined when one can. */
export const whyNotReal = (): Promise<string | undefined> =>
  ensureApiServerBinaries({ download: false }).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof ApiServerBinariesMissing) return error.message;
      throw error;
    },
  );
