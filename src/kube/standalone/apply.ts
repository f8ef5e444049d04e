import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../api/meta.ts';
import { mergePatchBetween } from '../embedded/merge-patch.ts';
import { isKubeError } from '../errors.ts';
import type { KubeApi } from '../port.ts';
import type { AppliedRecords } from './applied-records.ts';
import type { DeclaredObject } from './declared-set.ts';

/** What came of applying an object. */
export type Applied =
  | 'unchanged'
  | 'created'
  | 'changed'
  /** The object that is there is being deleted; the declared one can only be created after it. */
  | 'awaits-deletion';

/** The part of a manifest that a patch can carry. */
function patchable({ apiVersion: _apiVersion, kind: _kind, ...rest }: KubeObject): Record<string, unknown> {
  return rest;
}

async function find(api: KubeApi, { resource, key }: DeclaredObject): Promise<KubeObject | undefined> {
  try {
    return await api.get(resource, key);
  } catch (thrown) {
    if (isKubeError(thrown, 'KUBE_NOT_FOUND')) return undefined;
    throw thrown;
  }
}

/**
 * Makes the store's object what its manifest says, as `kubectl apply` does, from three sides: what the manifest
 * said last, what it says now, what is there. What changed between the two manifests is changed in the object;
 * all else in it stays, be it others' annotations, a field that a controller edits, or the status. So a
 * manifest that did not change changes nothing.
 *
 * A crash in between is made good by the next run: the record is written before an object is created, that it
 * may be deleted with its file, and after one is changed, that the change is made again.
 */
export async function applyDeclared(
  api: KubeApi,
  records: AppliedRecords,
  declared: DeclaredObject,
  options: { readonly verify: boolean },
): Promise<Applied> {
  const { id, file, object, resource, key } = declared;
  const record = records.get(id);
  const same = record !== undefined && record.uid !== undefined && isDeepStrictEqual(record.object, object);
  if (same && !options.verify) {
    if (record.file !== file) await records.set(id, { ...record, file });
    return 'unchanged';
  }
  const live = await find(api, declared);
  if (live === undefined) {
    await records.set(id, { file, object });
    try {
      const { uid } = (await api.create(resource, object)).metadata;
      await records.set(id, { file, object, uid });
    } catch (thrown) {
      if (record === undefined) await records.delete(id);
      else await records.set(id, record);
      throw thrown;
    }
    return 'created';
  }
  if (live.metadata.deletionTimestamp !== undefined) return 'awaits-deletion';
  const { uid } = live.metadata;
  // An object that came about without a manifest takes on what this one says, and keeps the rest.
  const before = record?.uid === uid && record?.object !== undefined ? patchable(record.object) : {};
  const patch = mergePatchBetween(before, patchable(object));
  if (patch !== undefined) await api.mergePatch(resource, key, patch);
  if (!same || record.file !== file || record.uid !== uid) await records.set(id, { file, object, uid });
  return patch === undefined ? 'unchanged' : 'changed';
}
