import { join } from 'node:path';
import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { keyText } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { resourceId } from '../../api/resource.ts';
import { messageOf } from '../../core/errors.ts';
import { InvalidObjectError } from '../embedded/validation.ts';
import { isKubeError } from '../errors.ts';
import type { KubeApi } from '../port.ts';
import type { AppliedRecord, AppliedRecords } from './applied-records.ts';
import { applyDeclared } from './apply.ts';
import type { DeclaredObject, DeclaredSet } from './declared-set.ts';
import { manifestResources } from './manifest-kinds.ts';
import type { ManifestProblem } from './problem.ts';

/** What a run did. */
export interface SyncResult {
  readonly problems: readonly ManifestProblem[];
  readonly created: number;
  readonly changed: number;
  readonly deleted: number;
  /** Whether an object waits for the end of a deletion, to be made again. */
  readonly waiting: boolean;
  /** Whether the store failed, so that another run may do more with the same manifests. */
  readonly failed: boolean;
}

/** How many objects are under way at a time; their writes share the flushes of the disk. */
const concurrency = 64;

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += concurrency) {
    await Promise.all(items.slice(start, start + concurrency).map(work));
  }
}

function nameOf({ resource, key }: DeclaredObject): string {
  return `${resource.kind} ${JSON.stringify(keyText(key))}`;
}

function problemsOfFailure(dir: string, declared: DeclaredObject, thrown: unknown): ManifestProblem[] {
  const file = join(dir, declared.file);
  if (thrown instanceof InvalidObjectError && thrown.problems.length > 0) {
    return thrown.problems.map(problem => ({
      file,
      ...declared.placeOf(problem.field),
      message: `${nameOf(declared)}: ${problem.message}`,
    }));
  }
  return [{ file, ...declared.place, message: `${nameOf(declared)}: ${messageOf(thrown)}` }];
}

function locate(id: string): { resource: Resource<KubeObject>; key: ObjectKey } | undefined {
  const [resourceText = '', namespace = '', name = ''] = id.split(' ');
  const resource = manifestResources.find(candidate => resourceId(candidate) === resourceText);
  return resource === undefined ? undefined : { resource, key: { namespace, name } };
}

async function deleteApplied(
  api: KubeApi,
  records: AppliedRecords,
  id: string,
  { uid }: AppliedRecord,
): Promise<boolean> {
  const located = locate(id);
  let deleted = false;
  try {
    if (located !== undefined) {
      await api.delete(located.resource, located.key, { uid });
      deleted = true;
    }
  } catch (thrown) {
    // Gone, or another object by now, which no manifest made.
    if (!isKubeError(thrown, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw thrown;
  }
  await records.delete(id);
  return deleted;
}

/**
 * Brings the store in line with what a folder declares: first creates and changes, then deletes what no
 * manifest declares any longer. `verify` looks at each object even where its manifest is as it was.
 */
export async function syncDeclared(
  api: KubeApi,
  records: AppliedRecords,
  dir: string,
  set: DeclaredSet,
  options: { readonly verify: boolean },
): Promise<SyncResult> {
  const problems = [...set.problems];
  const counts = { created: 0, changed: 0, deleted: 0 };
  let waiting = false;
  let failed = false;

  const repeat = (declared: DeclaredObject, firstFile: string, firstLine?: number): void => {
    const first = join(dir, firstFile) + (firstLine === undefined ? '' : `:${firstLine}`);
    problems.push({
      file: join(dir, declared.file),
      ...declared.place,
      message: `${nameOf(declared)} is declared in ${first} already, and that one counts: remove one of them`,
    });
  };
  for (const declared of set.repeated) {
    const first = set.objects.get(declared.id);
    if (first !== undefined) repeat(declared, first.file, first.place.line);
  }
  await inBatches([...set.objects.values()], async declared => {
    const before = records.get(declared.id);
    if (before !== undefined && before.file < declared.file && set.mayDeclare(before.file, declared.key)) {
      repeat(declared, before.file);
      return;
    }
    try {
      const applied = await applyDeclared(api, records, declared, options);
      if (applied === 'created') counts.created++;
      if (applied === 'changed') counts.changed++;
      if (applied === 'awaits-deletion') waiting = true;
    } catch (thrown) {
      problems.push(...problemsOfFailure(dir, declared, thrown));
      // What is invalid waits for its manifest.
      if (!isKubeError(thrown, 'KUBE_INVALID')) failed = true;
    }
  });
  const undeclared = records.entries().filter(([id, { file }]) => {
    if (set.objects.has(id)) return false;
    const located = locate(id);
    return located === undefined || !set.mayDeclare(file, located.key);
  });
  await inBatches(undeclared, async ([id, record]) => {
    if (await deleteApplied(api, records, id, record)) counts.deleted++;
  });
  const inOrder = problems.toSorted(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      a.line - b.line ||
      (a.column ?? 0) - (b.column ?? 0),
  );
  return { problems: inOrder, ...counts, waiting, failed };
}
