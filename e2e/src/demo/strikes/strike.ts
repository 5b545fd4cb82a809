import type { World } from '../../world/world.js';

/** What a strike acts on. */
export interface Scene {
  world: World;
  /** Begins the rollout. */
  begin(): Promise<void>;
  /** Pods that are half way through their upgrade right now. */
  halfWay(): string[];
}

/** A fault that has happened. */
export interface Strike {
  /** What was hit, with the numbers that show that it was not idle. */
  did: string;
  /** Why it hit nothing, if it did not: a run that shows nothing must not look like one that does. */
  missed?: string;
  /** Once the rollout is complete: what came of it, and what was promised and did not. */
  aftermath(): Promise<{ kept: string[]; broken: string[] }>;
}

/** How long something promised may take on the slowest machine. */
export const PATIENCE_MS = 120_000;
