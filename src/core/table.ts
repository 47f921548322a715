/** Parts of a table. One change copies the list of parts and one part: of 10,000 entries about 200 are touched. */
const PARTS = 128;

/**
 * A map that never changes: {@link Table.with} gives another one, which shares with the old what is the same in both.
 * A plain Map would be copied whole at every event, which with thousands of vassals is what the emperor would mostly do.
 */
export class Table<K extends string, V> implements ReadonlyMap<K, V> {
  readonly size: number;
  readonly #parts: readonly ReadonlyMap<K, V>[];

  private constructor(parts: readonly ReadonlyMap<K, V>[], size: number) {
    this.#parts = parts;
    this.size = size;
  }

  static empty<K extends string, V>(): Table<K, V> {
    return new Table<K, V>(Array.from({ length: PARTS }, () => new Map<K, V>()), 0);
  }

  /** A table with these entries set; null takes the entry out. */
  with(changes: Iterable<readonly [K, V | null]>): Table<K, V> {
    const parts = [...this.#parts];
    const copied = new Map<number, Map<K, V>>();
    let { size } = this;
    for (const [key, value] of changes) {
      const at = partOf(key);
      const part = copied.get(at) ?? new Map(parts[at]);
      copied.set(at, part);
      parts[at] = part;
      size -= part.size;
      if (value === null) part.delete(key);
      else part.set(key, value);
      size += part.size;
    }
    return copied.size === 0 ? this : new Table(parts, size);
  }

  get(key: K): V | undefined {
    return this.#parts[partOf(key)]?.get(key);
  }

  has(key: K): boolean {
    return this.#parts[partOf(key)]?.has(key) ?? false;
  }

  forEach(callback: (value: V, key: K, table: ReadonlyMap<K, V>) => void): void {
    for (const part of this.#parts) part.forEach((value, key) => callback(value, key, this));
  }

  *entries(): MapIterator<[K, V]> {
    for (const part of this.#parts) yield* part.entries();
  }

  *keys(): MapIterator<K> {
    for (const part of this.#parts) yield* part.keys();
  }

  *values(): MapIterator<V> {
    for (const part of this.#parts) yield* part.values();
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }
}

/** FNV-1a over the end of the key: paths differ there. */
function partOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = Math.max(0, key.length - 16); at < key.length; at += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & (PARTS - 1);
}
