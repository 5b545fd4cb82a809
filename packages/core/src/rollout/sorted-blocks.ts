/** Small enough that moving a block's elements costs nothing, large enough that there are few blocks. */
const BLOCK = 256;

/**
 * A sorted list in blocks. Putting in and taking out cost a binary search and the move of one block, however long the list is;
 * in one long array a change near its head would move everything behind it.
 */
export class SortedBlocks<T> {
  private blocks: T[][] = [];

  constructor(private readonly compare: (a: T, b: T) => number) {}

  clear(): void {
    this.blocks = [];
  }

  insert(item: T): void {
    const at = this.blockOf(item);
    const block = this.blocks[at];
    if (block === undefined) {
      this.blocks.push([item]);
      return;
    }
    block.splice(this.placeIn(block, item), 0, item);
    if (block.length > 2 * BLOCK) this.blocks.splice(at + 1, 0, block.splice(BLOCK));
  }

  /** @returns whether it was there */
  remove(item: T): boolean {
    const at = this.blockOf(item);
    const block = this.blocks[at];
    if (block === undefined) return false;
    const place = this.placeIn(block, item);
    if (block[place] !== item) return false;
    block.splice(place, 1);
    if (block.length === 0) this.blocks.splice(at, 1);
    return true;
  }

  /** Puts many in at once, for the price of one sort. */
  merge(items: Iterable<T>): void {
    const all = [...this, ...items].sort(this.compare);
    this.blocks = [];
    for (let i = 0; i < all.length; i += BLOCK) this.blocks.push(all.slice(i, i + BLOCK));
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const block of this.blocks) yield* block;
  }

  /** The block that holds the item, or would: the last one that does not begin behind it. */
  private blockOf(item: T): number {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.compare((this.blocks[middle] as T[])[0] as T, item) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private placeIn(block: readonly T[], item: T): number {
    let low = 0;
    let high = block.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(block[middle] as T, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
