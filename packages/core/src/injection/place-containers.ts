import type { Container } from '../api/kubernetes.js';
import { InjectionRefused } from './injection-plan.js';
import { isInjected } from './shared-mounts.js';

/** A container on its way into a pod. */
export interface Sidecar {
  container: Container;
  before: boolean;
  sidecarSet: string;
  /** The SidecarSet refuses pods whose own containers it would replace. */
  rejectsConflict: boolean;
}

/** Where containers go, in terms of the list as it stands in the pod. */
export interface Placement {
  /** Index in the pod's list to the container that takes its place. */
  replaced: Map<number, Container>;
  before: Container[];
  after: Container[];
  warnings: string[];
}

/**
 * Decides the place of each sidecar: that of a container of the same name, else before or after the pod's own ones.
 *
 * @throws {InjectionRefused} when it would replace a container that no injector put there, and its SidecarSet forbids it
 */
export function placeContainers(existing: readonly Container[], sidecars: readonly Sidecar[]): Placement {
  const placement: Placement = { replaced: new Map(), before: [], after: [], warnings: [] };
  const ownNames = new Map(existing.map(({ name }, index) => [name, index]));
  const placed = new Map<string, Sidecar>();
  for (const sidecar of sidecars) {
    const { name } = sidecar.container;
    const index = ownNames.get(name);
    const earlier = placed.get(name);
    if (earlier !== undefined) reportConflict(placement, sidecar, `the one of SidecarSet ${earlier.sidecarSet}`);
    else if (index !== undefined && !isInjected(existing[index]!))
      reportConflict(placement, sidecar, "the pod's own one");
    placed.set(name, earlier === undefined ? sidecar : { ...sidecar, before: earlier.before });
    if (index !== undefined) placement.replaced.set(index, sidecar.container);
  }
  for (const [name, sidecar] of placed) {
    if (!ownNames.has(name)) (sidecar.before ? placement.before : placement.after).push(sidecar.container);
  }
  return placement;
}

/** The containers of one of a pod's two lists: its own, and those on their way into it. */
export interface ContainerList {
  existing: readonly Container[];
  sidecars: readonly Sidecar[];
}

/**
 * Says which sidecars share their name with a container of the pod's other list, which an API server refuses: the pod's author
 * would hear of a duplicate that is not in his manifest.
 *
 * @throws {InjectionRefused} when one of them is of a SidecarSet that forbids conflicts
 */
export function warnAcrossLists(init: ContainerList, main: ContainerList): string[] {
  return [...twins(init.sidecars, main, 'a container'), ...twins(main.sidecars, init, 'an init container')];
}

function twins(sidecars: readonly Sidecar[], other: ContainerList, what: string): string[] {
  const others = [...other.existing, ...other.sidecars.map(({ container }) => container)];
  if (sidecars.length === 0 || others.length === 0) return [];
  const names = new Set(others.map(({ name }) => name));
  return sidecars
    .filter(({ container }) => names.has(container.name))
    .map((sidecar) => {
      refuseIfForbidden(sidecar, `${what} of the pod`);
      const { container, sidecarSet } = sidecar;
      const subject = `container ${container.name} of SidecarSet ${sidecarSet}`;
      return `${subject} has the same name as ${what} of the pod, and no API server takes both`;
    });
}

function reportConflict({ warnings }: Placement, sidecar: Sidecar, other: string): void {
  refuseIfForbidden(sidecar, other);
  warnings.push(`container ${sidecar.container.name} of SidecarSet ${sidecar.sidecarSet} replaces ${other}`);
}

function refuseIfForbidden({ sidecarSet, container, rejectsConflict }: Sidecar, other: string): void {
  if (!rejectsConflict) return;
  throw new InjectionRefused(
    `container ${container.name} of SidecarSet ${sidecarSet} has the same name as ${other}`,
    'Rename one of the two, or set injectionStrategy.onNameConflict to Overwrite.',
  );
}
