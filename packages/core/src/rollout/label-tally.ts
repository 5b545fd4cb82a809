export interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * How many of some members carry each value of a label. A key is counted over all members when it is first asked for, and kept
 * up to date from then on.
 */
export class LabelTally {
  private readonly keys = new Map<string, Map<string, number>>();

  /** @param members those that are in, at any time */
  constructor(private readonly members: () => Iterable<Labelled>) {}

  add(member: Labelled): void {
    for (const [key, values] of this.keys) change(values, key, member, 1);
  }

  remove(member: Labelled): void {
    for (const [key, values] of this.keys) change(values, key, member, -1);
  }

  clear(): void {
    this.keys.clear();
  }

  /** How many have that value, by value. */
  of(key: string): ReadonlyMap<string, number> {
    let values = this.keys.get(key);
    if (values === undefined) {
      values = new Map();
      for (const member of this.members()) change(values, key, member, 1);
      this.keys.set(key, values);
    }
    return values;
  }
}

function change(values: Map<string, number>, key: string, { labels }: Labelled, by: 1 | -1): void {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  if (value === undefined) return;
  const count = (values.get(value) ?? 0) + by;
  if (count === 0) values.delete(value);
  else values.set(value, count);
}
