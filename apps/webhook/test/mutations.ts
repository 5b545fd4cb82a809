/** Random damage to JSON, the same for the same seed. */
export class Mutations {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A whole number from 0 to `below` - 1 (xorshift32). */
  below(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** A copy with one to four places damaged. */
  damage(value: unknown): unknown {
    let damaged = structuredClone(value);
    for (let count = 1 + this.below(4); count > 0; count--) damaged = this.#damageOnce(damaged);
    return damaged;
  }

  /** Text with bytes lost, doubled or changed; mostly no JSON any more. */
  damageText(text: string): string {
    const at = this.below(text.length);
    const rest = text.slice(at + this.below(20));
    return this.pick([
      () => text.slice(0, at),
      () => text.slice(0, at) + rest,
      () => text.slice(0, at) + this.pick(['"', '{', ']', '\\', '\u0000', '\ud800', '1e999', ',,']) + text.slice(at),
      () => text + text.slice(at),
    ])();
  }

  #damageOnce(root: unknown): unknown {
    const holder = { root };
    const places: [object, string][] = [];
    collect(holder, places);
    const [parent, key] = this.pick(places) as [Record<string, unknown>, string];
    const value = parent[key];
    switch (this.below(6)) {
      case 0:
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
        break;
      case 1:
        if (Array.isArray(value)) value.push(structuredClone(value[0] ?? this.#anything()));
        else parent[key] = [value];
        break;
      case 2:
        parent[this.#anyKey()] = structuredClone(value);
        break;
      default:
        parent[key] = this.#anything();
    }
    return holder.root;
  }

  #anyKey(): string {
    return this.pick(['name', '', 'a/b~c', '0', 'constructor', 'image', 'labels', 'x'.repeat(300), 'é\u0000']);
  }

  #anything(): unknown {
    return this.pick([
      () => null,
      () => true,
      () => this.pick([0, -1, 1.5, 1e308, 2 ** 53, -0]),
      () =>
        this.pick(['', 'a', '100%', '-5%', 'ä\ud800', '$(HOME)', '__proto__', '{', 'x'.repeat(5_000), '2001-01-01']),
      () => [],
      () => ({}),
      () => [null],
      () => ({ name: null }),
      () => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":1}}'),
      () => Array.from({ length: 50 }, (_, index) => ({ name: `c${index % 7}` })),
      () => deep(this.pick([10, 1_100])),
    ])();
  }
}

function collect(value: object, into: [object, string][]): void {
  for (const [key, child] of Object.entries(value)) {
    into.push([value, key]);
    if (typeof child === 'object' && child !== null && into.length < 2_000) collect(child, into);
  }
}

function deep(levels: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { spec: value };
  return value;
}
