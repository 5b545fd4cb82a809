/** A container's process ended although nobody asked it to: what it held in flight is gone with it. */
export interface Death {
  /** The pod's address. */
  ip: string;
  container: string;
  atMs: number;
}

const SIGKILL = 9;

interface Line {
  at: number;
  event: string;
  pod?: string;
  container?: string;
  podIP?: string;
  exitedAtMs?: number;
  signal?: number;
}

/** What the kubelet's log tells about processes. */
export class KubeletLog {
  readonly lines: Line[] = [];

  push(text: string): void {
    if (!text.startsWith('{"at"')) return;
    const line = JSON.parse(text) as Line;
    if (line.event) this.lines.push(line);
  }

  /** Pods in which this container was stopped or ended since then. */
  stopped(container: string, sinceMs: number): string[] {
    const ends = this.lines.filter(
      (line) => line.container === container && line.at >= sinceMs && ['killing', 'exited'].includes(line.event),
    );
    return [...new Set(ends.map(({ pod = '' }) => pod))];
  }

  /**
   * Processes that ended by themselves, in order. One that ended by SIGKILL is among them even where the kubelet had begun to ask it:
   * its hook may have noticed the death before the kubelet did.
   */
  deaths(): Death[] {
    const asked = new Set<string>();
    const deaths: Death[] = [];
    for (const { event, pod = '', container = '', podIP, exitedAtMs, signal, at } of this.lines) {
      const key = `${pod}/${container}`;
      if (event === 'started') asked.delete(key);
      if (event === 'killing') asked.add(key);
      if (event === 'exited' && (signal === SIGKILL || !asked.has(key)))
        deaths.push({ ip: podIP ?? '', container, atMs: exitedAtMs ?? at });
    }
    return deaths;
  }
}
