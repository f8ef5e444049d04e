import type { KubeObject, ObjectKey } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';

/** Which objects of a resource are meant. */
export interface Selection {
  /** One namespace; absent means all of them. */
  readonly namespace?: string | undefined;
  /** A Kubernetes label selector: equality (`a=b`, `a!=b`), existence (`a`, `!a`), sets (`a in (b,c)`). */
  readonly labelSelector?: string | undefined;
  /** A Kubernetes field selector: `metadata.name=x`, `metadata.namespace=y`, `type=z` (Secrets), joined by commas. */
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection {
  readonly limit?: number | undefined;
  /** The token of the page before. */
  readonly continue?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A page of a list. `resourceVersion` is where a watch goes on from. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Present where there are more pages. */
  readonly continue: string | undefined;
}

export interface WatchOptions extends Selection {
  /** Events after this version are sent. */
  readonly resourceVersion: string;
  /** The server ends the watch, cleanly, after this time. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** One event of a watch. A bookmark carries a version and no object. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface DeleteOptions {
  /** The delete fails with a conflict where the object is another one, or another version, by now. */
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/**
 * The Kubernetes API, as far as Postern needs it. Two adapters: `cluster` (a real API server) and
 * `embedded` (a durable store in this process). Both keep the same contract, held by `contract.testing.ts`:
 *
 * - every failure is a `KubeError` of `kube/errors.ts`; nothing else is thrown, except an AbortError
 *   after the caller's own signal;
 * - each call has a deadline of its own, except `watch`, whose stream ends by `timeoutSeconds`;
 * - objects carry `apiVersion` and `kind`, in lists too, and belong to the caller, who may keep them but
 *   must not change them;
 * - `create` and `update` take an object whose metadata names it (or `generateName`, for create), and
 *   give back what was stored; status in them is ignored where the resource has a status subresource;
 * - `update` and `updateStatus` need `metadata.resourceVersion` and fail with CONFLICT where it is old;
 * - a write that changes nothing is stored as nothing: no new version, no event;
 * - `delete` of an object with finalizers sets its deletionTimestamp; the update that removes the last
 *   finalizer removes the object; what a removed object owns is collected in the background.
 */
export interface KubeApi {
  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, signal?: AbortSignal): Promise<T>;
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<ListPage<T>>;
  /** Ends cleanly at its time limit; throws GONE where the version is too old to go on from. */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  update<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  updateStatus<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  /** RFC 7386. With `subresource: 'status'` it reaches the status alone, without it never the status. */
  mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: object,
    options?: { readonly subresource?: 'status' },
  ): Promise<T>;
  delete<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  /** Whether the server serves this resource in this version now. */
  serves(resource: Resource<KubeObject>): Promise<boolean>;
}
