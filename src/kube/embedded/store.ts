import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { apiVersionOf, resourceId } from '../../api/resource.ts';
import type { Clock } from '../../core/clock.ts';
import { KubeError } from '../errors.ts';
import type { Database } from './database.ts';
import type { Outcome } from './next-object.ts';
import { openVersions, type StoredVersion, type Versions } from './versions.ts';

/** The resources a store serves, found by what a request or an owner reference names. */
export interface ServedResources {
  /** Throws NOT_FOUND where the resource is not served in this version. */
  check(resource: Resource<KubeObject>): void;
  serves(resource: Resource<KubeObject>): boolean;
  /** By API group and kind, in whatever version. */
  ofKind(group: string, kind: string): Resource<KubeObject> | undefined;
  byId(id: string): Resource<KubeObject> | undefined;
}

/** Indexes the resources of a store. */
export function servedResources(resources: readonly Resource<KubeObject>[]): ServedResources {
  const byId = new Map(resources.map(resource => [resourceId(resource), resource]));
  const byKind = new Map(resources.map(resource => [`${resource.group}/${resource.kind}`, resource]));
  const serves = (resource: Resource<KubeObject>): boolean =>
    byId.get(resourceId(resource))?.version === resource.version;
  return {
    serves,
    check(resource) {
      if (serves(resource)) return;
      throw new KubeError(
        'KUBE_NOT_FOUND',
        `${resource.plural} of ${apiVersionOf(resource)} are not served here`,
      );
    },
    ofKind: (group, kind) => byKind.get(`${group}/${kind}`),
    byId: id => byId.get(id),
  };
}

/** How often a name is made up before the last one's being taken is told; as in Kubernetes since 1.30 (KEP-4420). */
const nameTries = 8;

/** Reads and writes of single objects, each write one transaction. Synchronous: nothing comes in between. */
export interface Store {
  readonly versions: Versions;
  readonly served: ServedResources;
  /** Throws NOT_FOUND where it is not there. */
  require(resource: Resource<KubeObject>, key: ObjectKey): StoredVersion;
  /** Stores what `make` creates; asks it again where the name that it made up is taken. Throws ALREADY_EXISTS. */
  create(resource: Resource<KubeObject>, make: () => KubeObject): KubeObject;
  /** Does to the live object what `decide` says; gives back what is stored, or what was removed. */
  change(resource: Resource<KubeObject>, key: ObjectKey, decide: (live: KubeObject) => Outcome): KubeObject;
  /** Calls `listener` after each commit. */
  onCommit(listener: (written: StoredVersion) => void): void;
}

/** Opens the store in a database. */
export function openStore(database: Database, served: ServedResources, clock: Clock): Store {
  const versions = openVersions(database.sql);
  const listeners: ((written: StoredVersion) => void)[] = [];
  const tell = (written: StoredVersion): void => {
    for (const listener of listeners) listener(written);
  };
  const find = (resource: Resource<KubeObject>, key: ObjectKey): StoredVersion => {
    const live = versions.live(resourceId(resource), key);
    if (live !== undefined) return live;
    throw new KubeError(
      'KUBE_NOT_FOUND',
      `${resourceId(resource)} ${JSON.stringify(keyText(key))} is not there`,
    );
  };
  return {
    versions,
    served,
    require: find,
    create(resource, make) {
      const written = database.transaction(() => {
        const id = resourceId(resource);
        let object = make();
        let key = keyOf(object);
        const isTaken = (): boolean => versions.live(id, key) !== undefined;
        for (let tries = 1; isTaken() && object.metadata.generateName && tries < nameTries; tries += 1) {
          object = make();
          key = keyOf(object);
        }
        if (isTaken()) {
          throw new KubeError('KUBE_ALREADY_EXISTS', `${id} ${JSON.stringify(keyText(key))} exists already`);
        }
        const writtenAtMs = clock.now();
        return versions.append({
          resource: id,
          key,
          object,
          predecessor: undefined,
          deleted: false,
          writtenAtMs,
        });
      });
      tell(written);
      return written.object;
    },
    change(resource, key, decide) {
      const { live, written } = database.transaction(() => {
        const live = find(resource, key);
        const outcome = decide(live.object);
        if (outcome.kind === 'unchanged') return { live, written: undefined };
        const written = versions.append({
          resource: live.resource,
          key,
          object: outcome.object,
          predecessor: live,
          deleted: outcome.kind === 'removed',
          writtenAtMs: clock.now(),
        });
        return { live, written };
      });
      if (written === undefined) return live.object;
      tell(written);
      return written.object;
    },
    onCommit(listener) {
      listeners.push(listener);
    },
  };
}
