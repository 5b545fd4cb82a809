import type { Pieces } from './fuzz/pieces.js';

/** Where a value stands: its holder, its key there, and the name of its field. */
interface Place {
  parent: Record<string, unknown>;
  key: string;
  field: string;
}

/** Random damage to JSON, the same for the same seed. */
export class Mutations {
  #state: number;
  readonly #pieces: Pieces | undefined;

  /** With `pieces` half of the damage is a part of another document in the place of one of the same field. */
  constructor(seed: number, pieces?: Pieces) {
    this.#state = scrambled(seed) || 1;
    this.#pieces = pieces;
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
  damage<T extends object>(value: T): unknown {
    const copy = structuredClone(value);
    for (let count = 1 + this.below(4); count > 0; count--) this.#damageOnce(copy);
    return copy;
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

  #damageOnce(root: object): void {
    const places: Place[] = [];
    collect(root, '', places);
    if (places.length === 0) return;
    const place = this.pick(places);
    const pieces = this.#pieces?.of(place.field) ?? [];
    if (pieces.length > 0 && this.below(2) === 0) place.parent[place.key] = structuredClone(this.pick(pieces));
    else this.#spoil(place);
  }

  #spoil({ parent, key }: Place): void {
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
  }

  #anyKey(): string {
    return this.pick(['name', '', 'a/b~c', '0', 'constructor', 'image', 'labels', 'x'.repeat(300), 'é\u0000']);
  }

  #anything(): unknown {
    return this.pick([
      () => null,
      () => true,
      () => this.pick([0, -1, 1.5, 1e308, 2 ** 53, -0]),
      () => this.pick(TEXTS),
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

const TEXTS = [
  ...['', 'a', '100%', '-5%', '0', '1e9', '-1', '١', 'ä\ud800', '$(HOME)', '$(', '__proto__', '{', '{}', '[1]', 'null'],
  ...['x'.repeat(5_000), '2001-01-01', '5m', '1Gi', '-1Ki', '0x1', 'max(cpu*50%', 'mesh-1', 'mesh-2', 'app', '*', 'In'],
  ...[
    "metadata.labels['app']",
    'metadata.annotations[',
    'a:b@sha256:c',
    'HotUpgrade',
    '(((((((((a+)+)+)+)+)+)+)+)$',
    '/',
  ],
];

/** Seeds that follow each other must not begin alike (the last step of MurmurHash3). */
function scrambled(seed: number): number {
  let state = seed ^ (seed >>> 16);
  state = Math.imul(state, 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return state ^ (state >>> 16);
}

function collect(value: object, field: string, into: Place[]): void {
  const isList = Array.isArray(value);
  for (const [key, child] of Object.entries(value)) {
    const name = isList ? `${field}[]` : key;
    into.push({ parent: value as Record<string, unknown>, key, field: name });
    if (typeof child === 'object' && child !== null && into.length < 2_000) collect(child, name, into);
  }
}

function deep(levels: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { spec: value };
  return value;
}
