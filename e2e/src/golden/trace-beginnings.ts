import { type Container, KRUISE, type Pod, type SidecarSet, withHashes } from '@sidestep/core';
import { posted } from './api-server-pod.js';
import type { Comparison } from './compare.js';
import type { TraceCase, TraceEntry } from './golden-case.js';
import { GoldenCluster } from './golden-cluster.js';
import { comparableAnnotations } from './on-purpose/upgrade-write.js';

/** What a trace shows of admission: the SidecarSet as it was stored at each edit, and the pods as they were injected. */
export class TraceBeginnings {
  private readonly cluster = new GoldenCluster();
  private readonly first: SidecarSet | undefined;

  constructor(private readonly content: TraceCase) {
    const answer = this.cluster.write(content.sidecarSet);
    this.first = 'stored' in answer ? answer.stored : undefined;
  }

  /** @param set the SidecarSet as the trace has it after this event */
  edit({ t, event, changed = {} }: TraceEntry, set: SidecarSet): Comparison[] {
    const { spec, annotations = set.metadata.annotations } = changed as Partial<SidecarSet> & SidecarSet['metadata'];
    if (spec === undefined) return [];
    const hashed = hashesOf(withHashes(set).metadata.annotations);
    const hashes = { subject: `hashes at ${t} ms`, expected: hashesOf(annotations), actual: hashed };
    if (event !== 'ADDED' || this.first === undefined) return [hashes];
    const { first } = this;
    const ours = Object.fromEntries(Object.keys(spec).map((field) => [field, first.spec[field]]));
    return [
      hashes,
      { subject: 'SidecarSet as it was stored', expected: spec, actual: JSON.parse(JSON.stringify(ours)) },
    ];
  }

  /** @param set the SidecarSet as the trace has it, if it has it at all yet */
  injection({ t, name, changed = {} }: TraceEntry, set: SidecarSet | undefined): Comparison[] {
    const { pod } = this.content;
    const { annotations = {}, containers } = changed as {
      annotations?: Record<string, string>;
      containers?: Container[];
    };
    if (pod === undefined || containers === undefined) return [];
    const object = posted({ ...pod, metadata: { ...pod.metadata, ...(name === undefined ? {} : { name }) } });
    const request = { namespace: pod.metadata.namespace ?? 'default', object };
    const answer = this.cluster.admit(request, (held) => (set?.status?.latestRevision ? set : held));
    const patched = answer.allowed ? answer.patched : undefined;
    const actual = patched ? outline(patched.metadata.annotations, patched.spec.containers, containers) : answer;
    return [
      { subject: `${name} as injected at ${t} ms`, expected: outline(annotations, containers, containers), actual },
    ];
  }
}

function hashesOf(annotations: Record<string, string> | undefined): unknown {
  return { hash: annotations?.[KRUISE.hash], hashWithoutImage: annotations?.[KRUISE.hashWithoutImage] };
}

/** A trace holds of containers only what a rollout needs: the fields that it has are compared in all of them. */
function outline(annotations: Pod['metadata']['annotations'], list: Container[], recorded: Container[]): unknown {
  const fields = [...new Set(recorded.flatMap((container) => Object.keys(container)))];
  const containers = list.map((container) => Object.fromEntries(fields.map((field) => [field, container[field]])));
  return { annotations: comparableAnnotations(annotations), containers };
}
