import { z } from 'zod';
import { CliError } from './errors.js';

/** What the environment says, checked. */
export interface Config {
  /** As kubectl reads it: one path, or several joined by the path delimiter; empty for `~/.kube/config`. */
  kubeconfig: string;
  home: string | undefined;
  /** False when `NO_COLOR` is set (https://no-color.org). */
  color: boolean;
  /** Where Sidestep keeps its ControllerRevisions. */
  systemNamespace: string;
}

const Environment = z.object({
  KUBECONFIG: z.string().default(''),
  HOME: z.string().optional(),
  NO_COLOR: z.string().default(''),
  SIDESTEP_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a namespace name')
    .default('kruise-system'),
});

/** Reads the environment; empty variables count as unset. Throws `CliError`, naming the variable. */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0]);
    throw new CliError('USAGE', `${name}: got "${given[name]}"; allowed: ${issue?.message}`, {
      hint: `Unset ${name} or correct it.`,
    });
  }
  const { KUBECONFIG, HOME, NO_COLOR, SIDESTEP_NAMESPACE } = parsed.data;
  return { kubeconfig: KUBECONFIG, home: HOME, color: NO_COLOR === '', systemNamespace: SIDESTEP_NAMESPACE };
}
