import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { resourceId } from '../../api/resource.ts';
import { KubeError } from '../errors.ts';
import type { ListOptions, ListPage } from '../port.ts';
import { parseSelection } from '../selector.ts';
import type { Versions } from './versions.ts';

/** Where a list goes on: after this key, in the store as it stood at this version. */
interface Position {
  readonly at: number;
  readonly after: ObjectKey;
}

function continueToken({ at, after }: Position): string {
  return Buffer.from(JSON.stringify([at, after.namespace, after.name])).toString('base64url');
}

function parseToken(token: string): Position {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(parts)) {
      const [at, namespace, name] = parts as unknown[];
      if (Number.isSafeInteger(at) && typeof namespace === 'string' && typeof name === 'string') {
        return { at: at as number, after: { namespace, name } };
      }
    }
  } catch {
    // Said below.
  }
  throw new KubeError('KUBE_INVALID', 'continue: this is not a token of a page of this store');
}

/**
 * One page of a list. All pages show the store as it stood at the first one; GONE where that is no longer in
 * the history. Runs in the caller's transaction.
 */
export function listPage<T extends KubeObject>(
  versions: Versions,
  resource: Resource<T>,
  options: ListOptions,
): ListPage<T> {
  const selection = parseSelection(options);
  const position = options.continue === undefined ? undefined : parseToken(options.continue);
  const at = position?.at ?? versions.current();
  if (position !== undefined && at < versions.horizon()) {
    throw new KubeError('KUBE_GONE', 'continue: the list has grown too old to go on; begin it again');
  }
  const limit = options.limit === undefined || options.limit <= 0 ? Number.POSITIVE_INFINITY : options.limit;
  const items: T[] = [];
  let next: string | undefined;
  const { namespace, name } = selection;
  const snapshot = versions.snapshot(resourceId(resource), { at, namespace, name, after: position?.after });
  for (const { object } of snapshot) {
    if (!selection.matches(object)) continue;
    if (items.length >= limit) {
      const { namespace = '', name = '' } = items.at(-1)?.metadata ?? {};
      next = continueToken({ at, after: { namespace, name } });
      break;
    }
    items.push(object as T);
  }
  return Object.freeze({ items: Object.freeze(items), resourceVersion: String(at), continue: next });
}
