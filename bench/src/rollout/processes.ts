import { readFileSync } from 'node:fs';

/** A clock tick of /proc on every Linux that Node runs on. */
const TICK_MS = 10;

interface Cost {
  cpuMs: number;
  peakRssMb: number;
}

/** Empty once the process has ended. */
const readProc = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
};

const cpuMs = (pid: number): number => {
  const stat = readProc(pid, 'stat');
  if (stat === '') return Number.NaN;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
};

const rssMb = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readProc(pid, 'status'))?.[1] ?? 0) / 1024;

const SAMPLE_MS = 200;

/** What processes cost from its construction on: CPU time, and the most memory seen at any look. */
export class CostMeter {
  private readonly before = new Map<number, number>();
  private readonly peak = new Map<number, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly pids: readonly number[]) {
    for (const pid of pids) this.before.set(pid, cpuMs(pid));
    const look = (): void => {
      for (const pid of pids) this.peak.set(pid, Math.max(this.peak.get(pid) ?? 0, rssMb(pid)));
    };
    look();
    this.timer = setInterval(look, SAMPLE_MS);
  }

  stop(): Map<number, Cost> {
    clearInterval(this.timer);
    return new Map(
      this.pids.map((pid) => [
        pid,
        { cpuMs: cpuMs(pid) - (this.before.get(pid) ?? 0), peakRssMb: this.peak.get(pid) ?? 0 },
      ]),
    );
  }
}
