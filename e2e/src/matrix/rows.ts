import type { MatrixRow } from './row.js';
import { apiServerRows } from './rows/api-server.js';
import { controlPlane } from './rows/control-plane.js';
import { killedRows } from './rows/killed.js';
import { newVersionRows } from './rows/new-version.js';
import { podRows } from './rows/pods.js';
import { sidecarSetRows } from './rows/sidecar-sets.js';

/** The failure matrix. */
export const ROWS: readonly MatrixRow[] = [
  ...controlPlane,
  ...killedRows,
  ...apiServerRows,
  ...podRows,
  ...newVersionRows,
  ...sidecarSetRows,
];
