import { z } from 'zod';
import type { KubeObject } from '../../api/meta.ts';
import type { Records } from '../embedded/records.ts';

/**
 * What a manifest last made of an object. It is kept beside the object and not in an annotation of it, so that
 * the content of Secrets does not stand where annotations are shown.
 */
export interface AppliedRecord {
  /** The file, below the folder. */
  readonly file: string;
  readonly object: KubeObject;
  /** The object that it was done to; absent where the object was about to be created. */
  readonly uid?: string | undefined;
}

/** The name of the collection in the store. */
export const appliedCollection = 'manifests';

const appliedRecord = z.object({
  file: z.string(),
  object: z.custom<KubeObject>(value => typeof value === 'object' && value !== null),
  uid: z.string().optional(),
});

/** The records of all objects that manifests have declared, by their ids. */
export interface AppliedRecords {
  get(id: string): AppliedRecord | undefined;
  entries(): readonly (readonly [id: string, record: AppliedRecord])[];
  set(id: string, record: AppliedRecord): Promise<void>;
  delete(id: string): Promise<void>;
}

/** Reads all records of a store once, and writes through from then on. */
export function openAppliedRecords(records: Records): AppliedRecords {
  const byId = new Map(
    records
      .entries()
      .map(([id, text]): [string, AppliedRecord] => [id, appliedRecord.parse(JSON.parse(text))]),
  );
  return {
    get: id => byId.get(id),
    entries: () => [...byId],
    async set(id, record) {
      await records.set(id, JSON.stringify(record));
      byId.set(id, record);
    },
    async delete(id) {
      await records.delete(id);
      byId.delete(id);
    },
  };
}
