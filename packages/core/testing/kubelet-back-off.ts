/** The kubelet's own rule: one entry per container and image, doubled by each start that follows a known end. */
export class KubeletBackOff {
  private readonly entries = new Map<string, { seconds: number; last: number }>();

  holds(key: string, knownEnd: number | undefined, now: number): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined || knownEnd === undefined || knownEnd - entry.last > 600_000) return false;
    return now - knownEnd < entry.seconds * 1_000;
  }

  count(key: string, now: number): void {
    const entry = this.entries.get(key);
    const isAlive = entry !== undefined && now - entry.last <= 600_000;
    this.entries.set(key, { seconds: isAlive ? Math.min(entry.seconds * 2, 300) : 10, last: now });
  }
}
