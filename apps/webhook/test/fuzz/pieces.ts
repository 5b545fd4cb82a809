/** Parts of good documents by the field that they stood in: damage that fits gets deeper than damage that does not. */
export class Pieces {
  readonly #byField = new Map<string, unknown[]>();

  constructor(samples: readonly unknown[]) {
    for (const sample of samples) this.#take(sample, '');
  }

  /** What stood in the field somewhere; elements of lists by the name of the list. Never empty for a field that was seen. */
  of(field: string): readonly unknown[] {
    return this.#byField.get(field) ?? [];
  }

  #take(value: unknown, field: string): void {
    if (field !== '') this.#byField.set(field, [...this.of(field), value].slice(-MOST_PER_FIELD));
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) this.#take(child, Array.isArray(value) ? `${field}[]` : key);
  }
}

const MOST_PER_FIELD = 60;
