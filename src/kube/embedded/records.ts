import type { Database } from './database.ts';

/** A durable map of texts beside the objects, for what a component must remember about them. */
export interface Records {
  get(key: string): string | undefined;
  /** All of them, by key. */
  entries(): readonly (readonly [key: string, value: string])[];
  /** Durable once it resolves. */
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** The records of one collection. `write` runs a change and makes it durable; it throws where the store is read-only. */
export function openRecords(
  { sql }: Database,
  collection: string,
  write: (work: () => void) => Promise<void>,
): Records {
  const get = sql.prepare('SELECT value FROM records WHERE collection = ? AND key = ?');
  const all = sql.prepare('SELECT key, value FROM records WHERE collection = ? ORDER BY key');
  return {
    get(key) {
      const row = get.get(collection, key);
      return row === undefined ? undefined : String(row['value']);
    },
    entries: () => all.all(collection).map(row => [String(row['key']), String(row['value'])] as const),
    set: (key, value) =>
      write(() => {
        sql
          .prepare(
            `INSERT INTO records (collection, key, value) VALUES (?, ?, ?)
             ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value`,
          )
          .run(collection, key, value);
      }),
    delete: key =>
      write(() => {
        sql.prepare('DELETE FROM records WHERE collection = ? AND key = ?').run(collection, key);
      }),
  };
}
