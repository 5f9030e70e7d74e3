/** The browser's storage, which may be blocked or full: then a reload begins anew. */

/** Asks for the storage, which throws where it is blocked. */
type Ask = () => Storage;

/** Return what is kept; null where nothing is. */
export function read(storage: Ask, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

/** Keep a text; null, or an empty one, forgets what was kept. */
export function write(storage: Ask, key: string, value: string | null): void {
  try {
    if (value) {
      storage().setItem(key, value);
    } else {
      storage().removeItem(key);
    }
  } catch {
    // blocked, or full
  }
}

/** Return a list that is kept; an empty one where none is, or something else. */
export function readList(storage: Ask, key: string): unknown[] {
  try {
    const kept: unknown = JSON.parse(read(storage, key) ?? '[]');
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

/** Keep a list. */
export function writeList(storage: Ask, key: string, value: readonly unknown[]): void {
  write(storage, key, JSON.stringify(value));
}

/** Return a map that is kept as a list of its entries; what is no entry is left out. */
export function readMap<Value>(storage: Ask, key: string): Map<string, Value> {
  const entries = readList(storage, key).filter(one => Array.isArray(one));
  return new Map(entries as [string, Value][]);
}
