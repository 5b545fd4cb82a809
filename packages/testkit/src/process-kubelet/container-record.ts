/** One container, as the runtime knows it: one start of one process. A restart makes a new record. */
export interface ContainerRecord {
  name: string;
  containerID: string;
  /** As written in the pod, which is what an in-place change is told by. */
  image: string;
  imageID: string;
  statusImage: string;
  restartCount: number;
  startedAtMs: number;
  pid: number;
  exit?: ContainerExit;
}

export interface ContainerExit {
  finishedAtMs: number;
  /** 128 + n for a signal. */
  exitCode: number;
  signal?: number;
  reason: string;
  message?: string;
}

/** What the relist saw of one pod: newest first, per container the newest and one dead one before it. */
export interface PodSnapshot {
  takenAtMs: number;
  records: readonly ContainerRecord[];
}

export const EMPTY_SNAPSHOT: PodSnapshot = { takenAtMs: 0, records: [] };

export const newestOf = (snapshot: PodSnapshot, container: string): ContainerRecord | undefined =>
  snapshot.records.find((record) => record.name === container);

export const newestExitOf = (snapshot: PodSnapshot, container: string): ContainerExit | undefined =>
  snapshot.records.find((record) => record.name === container && record.exit)?.exit;

export const isRunning = (record: ContainerRecord | undefined): record is ContainerRecord =>
  record !== undefined && !record.exit;

/** Whether the later look saw anything that the earlier did not. */
export function differs(earlier: PodSnapshot, later: PodSnapshot): boolean {
  if (earlier.records.length !== later.records.length) return true;
  return later.records.some((record, at) => {
    const before = earlier.records[at];
    return before?.containerID !== record.containerID || Boolean(before.exit) !== Boolean(record.exit);
  });
}
