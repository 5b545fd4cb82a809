import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { removeScratch } from '../scratch/remove-scratch.js';
import { expandVariables } from './container-environment.js';
import type { PathMapping } from './mount-paths.js';
import type { ContainerSpec, PodObject } from './pod-spec.js';

/**
 * The volumes of one pod as private directories. An emptyDir lives as long as the pod, over container restarts; a hostPath is the
 * path itself; every other kind is an empty directory.
 */
export class PodVolumes {
  readonly #root: string;

  /** `root` should be short: sockets in volumes have paths of at most 107 bytes. */
  constructor(root: string) {
    this.#root = root;
  }

  async create(pod: PodObject): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) {
      if (!volume.hostPath) await mkdir(path.join(this.#root, volume.name), { recursive: true, mode: 0o700 });
    }
  }

  async remove(): Promise<void> {
    await removeScratch(this.#root);
  }

  /** Where each mountPath of the container is on this machine. */
  async mappings(pod: PodObject, container: ContainerSpec, variables: Record<string, string>): Promise<PathMapping[]> {
    const mappings: PathMapping[] = [];
    for (const mount of container.volumeMounts ?? []) {
      const volume = (pod.spec.volumes ?? []).find(({ name }) => name === mount.name);
      const base = volume?.hostPath?.path ?? path.join(this.#root, mount.name);
      const sub = mount.subPath ?? expandVariables(mount.subPathExpr ?? '', variables);
      const outside = path.join(base, path.join('/', sub)).replace(/\/$/, '');
      if (!volume?.hostPath) await mkdir(outside, { recursive: true, mode: 0o700 });
      mappings.push({ inside: mount.mountPath, outside });
    }
    return mappings;
  }
}
