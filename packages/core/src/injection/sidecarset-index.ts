import type { LabelSelector } from '../api/kubernetes.js';
import { NAMESPACE_NAME_LABEL } from '../api/selectors.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { type CompiledSidecarSet, compileSidecarSet } from './compile-sidecarset.js';
import { LabelIndex } from './label-index.js';

/** Sets that are not tied to a namespace by name. */
const ANY_NAMESPACE = '';

/**
 * All SidecarSets, held so that the ones which may select a pod are found in a time that does not depend on how many others
 * there are. What injection needs of a set is computed once, when the set is put in.
 *
 * SidecarSets are the stored `v1beta1` ones: defaulted, and with their hash annotations.
 */
export class SidecarSetIndex {
  private readonly byName = new Map<string, CompiledSidecarSet>();
  private readonly byNamespace = new Map<string, LabelIndex<CompiledSidecarSet>>();

  constructor(sidecarSets: Iterable<SidecarSet> = []) {
    for (const sidecarSet of sidecarSets) this.upsert(sidecarSet);
  }

  get size(): number {
    return this.byName.size;
  }

  /** Adds the set, or replaces the one of the same name. A set without a selector selects nothing. */
  upsert(sidecarSet: SidecarSet): void {
    const compiled = compileSidecarSet(sidecarSet);
    this.remove(compiled.name);
    this.byName.set(compiled.name, compiled);
    const selector = sidecarSet.spec.selector;
    if (selector === undefined) return;
    for (const namespace of namedNamespaces(sidecarSet.spec.namespaceSelector)) {
      this.scope(namespace).add(compiled, selector);
    }
  }

  remove(name: string): void {
    const compiled = this.byName.get(name);
    if (compiled === undefined) return;
    this.byName.delete(name);
    for (const namespace of namedNamespaces(compiled.sidecarSet.spec.namespaceSelector)) {
      const scope = this.byNamespace.get(namespace);
      scope?.remove(compiled);
      if (scope?.size === 0) this.byNamespace.delete(namespace);
    }
  }

  get(name: string): SidecarSet | undefined {
    return this.byName.get(name)?.sidecarSet;
  }

  /** The sets that may select a pod with these labels in this namespace, sorted by name; each is still to be matched. */
  candidates(labels: Readonly<Record<string, string>>, namespace: string): CompiledSidecarSet[] {
    const found = new Set<CompiledSidecarSet>();
    this.byNamespace.get(ANY_NAMESPACE)?.collect(labels, found);
    if (namespace !== ANY_NAMESPACE) this.byNamespace.get(namespace)?.collect(labels, found);
    return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private scope(namespace: string): LabelIndex<CompiledSidecarSet> {
    const existing = this.byNamespace.get(namespace);
    if (existing !== undefined) return existing;
    const created = new LabelIndex<CompiledSidecarSet>();
    this.byNamespace.set(namespace, created);
    return created;
  }
}

/** The only namespaces that the selector can match, when it names them; otherwise all. */
function namedNamespaces(selector: LabelSelector | undefined): string[] {
  const exact = selector?.matchLabels?.[NAMESPACE_NAME_LABEL];
  if (exact !== undefined) return [exact];
  const listed = selector?.matchExpressions?.find(
    ({ key, operator }) => key === NAMESPACE_NAME_LABEL && operator === 'In',
  );
  return listed?.values?.length ? [...new Set(listed.values)] : [ANY_NAMESPACE];
}
