import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { containerVariables, expandVariables } from './container-environment.js';
import { ContainerProcess } from './container-process.js';
import type { ContainerRecord, PodSnapshot } from './container-record.js';
import type { FoundImage } from './image-catalogue.js';
import { type PathMapping, translatePaths } from './mount-paths.js';
import type { NodeContext } from './node-context.js';
import type { ContainerSpec, PodObject } from './pod-spec.js';
import type { PodVolumes } from './pod-volumes.js';
import { CONTAINER_MARK, KUBELET_MARK } from './process-marks.js';
import { terminationMessage } from './termination-message.js';

/** A started container with what its hooks and probes need. */
export interface LiveContainer {
  record: ContainerRecord;
  process: ContainerProcess;
  /** As it was when it was started: the hooks that end it are these, not those of the new definition. */
  spec: ContainerSpec;
  env: Record<string, string>;
  cwd: string;
  logFile: string;
  mappings: PathMapping[];
  /** Aborts when the container has ended, and with it everything that was executed in it. */
  gone: AbortController;
  /** Resolves with the record of the ended container. */
  ended: Promise<ContainerRecord>;
}

interface StartOptions {
  pod: PodObject;
  container: ContainerSpec;
  image: FoundImage;
  restartCount: number;
}

/** The processes of one pod: starts them, knows their ends, and keeps one dead container of each name. */
export class PodContainers {
  readonly podIP: string;
  readonly dir: string;
  readonly #context: NodeContext;
  readonly #volumes: PodVolumes;
  readonly #onExit: (record: ContainerRecord) => void;
  /** Newest first. */
  #records: ContainerRecord[] = [];
  readonly #live = new Map<string, LiveContainer>();

  constructor(
    context: NodeContext,
    place: { podIP: string; dir: string; volumes: PodVolumes },
    onExit: (record: ContainerRecord) => void,
  ) {
    this.#context = context;
    this.podIP = place.podIP;
    this.dir = place.dir;
    this.#volumes = place.volumes;
    this.#onExit = onExit;
    mkdirSync(place.dir, { recursive: true, mode: 0o700 });
  }

  /** What a relist sees now. Records are replaced, never changed, so an older snapshot stays as it was. */
  snapshot(nowMs: number): PodSnapshot {
    return { takenAtMs: nowMs, records: this.#records };
  }

  live(): LiveContainer[] {
    return [...this.#live.values()];
  }

  /** The running container of that record, unless it has ended. */
  find(containerID: string): LiveContainer | undefined {
    return this.#live.get(containerID);
  }

  /** Rejects with `EnvSourceError` or `KubeletError` (`RunContainerError`). */
  async start(options: StartOptions): Promise<LiveContainer> {
    const { container, image, pod } = options;
    const containerID = randomBytes(32).toString('hex');
    const own = containerVariables(pod, container, { podIP: this.podIP, hostIP: this.#context.hostIP });
    const mappings = await this.#mappings(pod, container, own, containerID);
    const translate = (text: string) => translatePaths(text, mappings);
    const env = this.#environment(pod, image, own, mappings, containerID);
    const cwd = translate(container.workingDir ?? image.entry.cwd ?? this.dir);
    const logFile = path.join(this.dir, `${container.name}.${options.restartCount}.log`);
    const command = commandLine(container, image, own).map(translate);
    const process = new ContainerProcess({ containerID, command, env, cwd, logFile });
    const record: ContainerRecord = {
      name: container.name,
      containerID: `process://${containerID}`,
      image: container.image,
      imageID: image.imageID,
      statusImage: image.statusImage,
      restartCount: options.restartCount,
      startedAtMs: process.startedAtMs,
      pid: process.pid,
    };
    const gone = new AbortController();
    const ended = this.#watchEnd({ record, process, container, gone, logFile, mappings });
    const live = { record, process, spec: container, env, cwd, logFile, mappings, gone, ended };
    this.#live.set(record.containerID, live);
    this.#remember(record);
    return live;
  }

  async #mappings(
    pod: PodObject,
    container: ContainerSpec,
    own: Record<string, string>,
    containerID: string,
  ): Promise<PathMapping[]> {
    const lastWords = path.join(this.dir, `${container.name}.${containerID.slice(0, 12)}.termination`);
    return [
      ...(await this.#volumes.mappings(pod, container, own)),
      { inside: terminationPath(container), outside: lastWords },
    ];
  }

  #environment(
    pod: PodObject,
    image: FoundImage,
    own: Record<string, string>,
    mappings: readonly PathMapping[],
    containerID: string,
  ): Record<string, string> {
    const given = { HOSTNAME: pod.metadata.name ?? '', POD_IP: this.podIP, ...image.entry.env, ...own };
    const translated = Object.entries(given).map(([name, value]) => [name, translatePaths(value, mappings)]);
    return {
      ...this.#context.baseEnv,
      ...agentDirectory(mappings),
      ...Object.fromEntries(translated),
      [CONTAINER_MARK]: containerID,
      [KUBELET_MARK]: this.#context.kubeletId,
    };
  }

  async #watchEnd(started: {
    record: ContainerRecord;
    process: ContainerProcess;
    container: ContainerSpec;
    gone: AbortController;
    logFile: string;
    mappings: PathMapping[];
  }): Promise<ContainerRecord> {
    const { record, process, container, gone, logFile } = started;
    const { exitCode, signal, atMs } = await process.ended;
    gone.abort();
    const file = translatePaths(terminationPath(container), started.mappings);
    const policy = container.terminationMessagePolicy;
    const message = await terminationMessage({ file, logFile, policy, exitCode }).catch(() => undefined);
    const exit = {
      finishedAtMs: atMs,
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      ...(signal === undefined ? {} : { signal }),
      ...(message === undefined ? {} : { message }),
    };
    const over: ContainerRecord = { ...record, exit };
    this.#records = this.#records.map((known) => (known.containerID === record.containerID ? over : known));
    this.#live.delete(record.containerID);
    this.#onExit(over);
    return over;
  }

  #remember(record: ContainerRecord): void {
    const others = this.#records.filter(({ name }) => name !== record.name);
    const dead = this.#records.find(({ name }) => name === record.name);
    this.#records = [record, ...(dead ? [dead] : []), ...others];
  }
}

const terminationPath = (container: ContainerSpec): string =>
  container.terminationMessagePath ?? '/dev/termination-log';

/** Where the migration agent keeps its sockets when nothing else is said. */
const AGENT_DIR = '/run/sidestep';

/** A process has no mounts of its own: a mount at the agent's default directory is told by its variable instead. */
function agentDirectory(mappings: readonly PathMapping[]): Record<string, string> {
  const mounted = mappings.find(({ inside }) => inside.replace(/\/+$/, '') === AGENT_DIR);
  return mounted ? { SIDESTEP_DIR: mounted.outside } : {};
}

/** https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/ */
function commandLine(container: ContainerSpec, image: FoundImage, variables: Record<string, string>): string[] {
  const expand = (parts: readonly string[]) => parts.map((part) => expandVariables(part, variables));
  const args = expand(container.args ?? []);
  if (container.command?.length) return [...expand(container.command), ...args];
  return [...image.entry.command, ...(container.args?.length ? args : (image.entry.args ?? []))];
}
