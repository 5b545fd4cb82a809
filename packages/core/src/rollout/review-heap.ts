/** When which key is to be looked at again, soonest first. Entries that were overtaken stay until they surface. */
export class ReviewHeap {
  private readonly due = new Map<string, number>();
  private heap: { at: number; key: string }[] = [];

  /** `Infinity` takes the key out. */
  set(key: string, at: number): void {
    if (this.due.get(key) === at) return;
    if (at === Number.POSITIVE_INFINITY) {
      this.due.delete(key);
      return;
    }
    this.due.set(key, at);
    this.push({ at, key });
  }

  delete(key: string): void {
    this.due.delete(key);
  }

  clear(): void {
    this.due.clear();
    this.heap = [];
  }

  /** Takes out and returns every key whose time has come. */
  takeDue(now: number): string[] {
    const keys: string[] = [];
    for (let next = this.peek(); next !== undefined && next.at <= now; next = this.peek()) {
      this.pop();
      this.due.delete(next.key);
      keys.push(next.key);
    }
    return keys;
  }

  /** The soonest time; `Infinity` when nothing waits. */
  get next(): number {
    return this.peek()?.at ?? Number.POSITIVE_INFINITY;
  }

  private peek(): { at: number; key: string } | undefined {
    for (let top = this.heap[0]; top !== undefined; top = this.heap[0]) {
      if (this.due.get(top.key) === top.at) return top;
      this.pop();
    }
    return undefined;
  }

  private push(entry: { at: number; key: string }): void {
    const { heap } = this;
    let i = heap.length;
    heap.push(entry);
    for (let parent = (i - 1) >> 1; i > 0 && (heap[parent]?.at ?? 0) > entry.at; parent = (i - 1) >> 1) {
      heap[i] = heap[parent] as typeof entry;
      i = parent;
    }
    heap[i] = entry;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if ((heap[child + 1]?.at ?? Number.POSITIVE_INFINITY) < (heap[child]?.at ?? 0)) child += 1;
      const smaller = heap[child];
      if (smaller === undefined || smaller.at >= last.at) break;
      heap[i] = smaller;
      i = child;
    }
    heap[i] = last;
  }
}
