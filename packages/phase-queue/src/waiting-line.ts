/** First in, first out, within a priority; smaller priorities first. */
export class WaitingLine<T> {
  private readonly lanes = new Map<number, { items: T[]; head: number }>();
  private order: number[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(item: T, priority: number): void {
    let lane = this.lanes.get(priority);
    if (lane === undefined) {
      lane = { items: [], head: 0 };
      this.lanes.set(priority, lane);
      this.order = [...this.lanes.keys()].sort((a, b) => a - b);
    }
    lane.items.push(item);
    this.count += 1;
  }

  shift(): T | undefined {
    for (const priority of this.order) {
      const lane = this.lanes.get(priority);
      if (lane === undefined || lane.head >= lane.items.length) continue;
      const item = lane.items[lane.head];
      lane.head += 1;
      this.count -= 1;
      if (lane.head === lane.items.length) this.dropLane(priority);
      return item;
    }
    return undefined;
  }

  clear(): void {
    this.lanes.clear();
    this.order = [];
    this.count = 0;
  }

  private dropLane(priority: number): void {
    this.lanes.delete(priority);
    this.order = this.order.filter((other) => other !== priority);
  }
}
