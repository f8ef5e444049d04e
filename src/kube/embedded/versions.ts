import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { deepFreeze } from '../freeze.ts';

/** One version of one object, as it was written. */
export interface StoredVersion {
  readonly version: number;
  readonly deleted: boolean;
  /** The version before it; absent for a creation. */
  readonly predecessor: number | undefined;
  /** The resource's id: `secrets`, `ingresses.networking.k8s.io`. */
  readonly resource: string;
  /** Frozen, with its resourceVersion. */
  readonly object: KubeObject;
}

/** Which live objects a page of a list goes over. */
export interface SnapshotOptions {
  /** The store as it stood at this version; the caller has checked that it is not before the horizon. */
  readonly at: number;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** Only what comes after this key, in the order of namespace and name. */
  readonly after?: ObjectKey | undefined;
}

/** A write: the object without a resourceVersion, and what it replaces. */
export interface NewVersion {
  readonly resource: string;
  readonly key: ObjectKey;
  readonly object: KubeObject;
  readonly predecessor: StoredVersion | undefined;
  readonly deleted: boolean;
  readonly writtenAtMs: number;
}

/** The table of all versions: the store's content and its history. Its methods run in the caller's transaction. */
export interface Versions {
  /** The newest version of the whole store. */
  current(): number;
  /** History begins after this version. */
  horizon(): number;
  live(resource: string, key: ObjectKey): StoredVersion | undefined;
  /** Live objects by namespace and name. To be read to its end, or left, before the next write. */
  snapshot(resource: string, options: SnapshotOptions): Iterable<StoredVersion>;
  /** What was written to a resource after `version`, in that order, `limit` at most. */
  since(resource: string, version: number, limit: number): readonly StoredVersion[];
  /** The object as of one version that is still in the history. */
  at(version: number): StoredVersion | undefined;
  append(write: NewVersion): StoredVersion;
  /** Live objects that name this uid as an owner; without one, those that name any owner. */
  owned(owner?: string): readonly StoredVersion[];
  /** Live objects of a resource whose last write is older than `epochMs`. */
  writtenBefore(resource: string, epochMs: number): readonly StoredVersion[];
  /** The newest version that was written before `epochMs`. */
  newestBefore(epochMs: number): number;
  /** Drops the history up to `horizon`: replaced versions and tombstones that only older watches would need. */
  forget(horizon: number): void;
}

type Row = Record<string, SQLOutputValue>;

const columns = 'version, deleted, predecessor, resource, body';

function storedVersionOf(row: Row): StoredVersion {
  const object = JSON.parse(String(row['body'])) as KubeObject;
  object.metadata.resourceVersion = String(row['version']);
  return {
    version: Number(row['version']),
    deleted: row['deleted'] === 1,
    predecessor: row['predecessor'] === null ? undefined : Number(row['predecessor']),
    resource: String(row['resource']),
    object: deepFreeze(object),
  };
}

function ownersOf(object: KubeObject): ReadonlySet<string> {
  return new Set(object.metadata.ownerReferences?.map(owner => owner.uid));
}

/** The versions in an open state database. */
export function openVersions(sql: DatabaseSync): Versions {
  const live = 'successor IS NULL AND deleted = 0';
  const ofKey = 'resource = ? AND namespace = ? AND name = ?';
  const current = sql.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'versions'");
  const horizon = sql.prepare('SELECT horizon FROM history');
  const setHorizon = sql.prepare('UPDATE history SET horizon = ?');
  const getLive = sql.prepare(`SELECT ${columns} FROM versions WHERE ${ofKey} AND ${live}`);
  const getAt = sql.prepare(`SELECT ${columns} FROM versions WHERE version = ?`);
  const selectSince = sql.prepare(
    `SELECT ${columns} FROM versions WHERE version > ? AND resource = ? ORDER BY version LIMIT ?`,
  );
  const insert = sql.prepare(
    `INSERT INTO versions (version, resource, namespace, name, deleted, predecessor, writtenAtMs, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const supersede = sql.prepare('UPDATE versions SET successor = ? WHERE version = ?');
  const addOwner = sql.prepare('INSERT INTO owners (owner, version) VALUES (?, ?)');
  const removeOwner = sql.prepare('DELETE FROM owners WHERE owner = ? AND version = ?');
  const ownedBy = sql.prepare('SELECT version FROM owners WHERE owner = ? ORDER BY version');
  const ownedByAny = sql.prepare('SELECT DISTINCT version FROM owners ORDER BY version');
  const oldLive = sql.prepare(
    `SELECT ${columns} FROM versions WHERE resource = ? AND ${live} AND writtenAtMs < ?`,
  );
  const newestBefore = sql.prepare(
    'SELECT version FROM versions WHERE writtenAtMs < ? ORDER BY version DESC LIMIT 1',
  );
  const dropSuperseded = sql.prepare('DELETE FROM versions WHERE successor <= ?');
  const dropTombstones = sql.prepare('DELETE FROM versions WHERE deleted = 1 AND version <= ?');

  const currentVersion = (): number => Number(current.get()?.['seq'] ?? 0);

  function* snapshot(resource: string, options: SnapshotOptions): Generator<StoredVersion> {
    const conditions = ['resource = :resource', 'version <= :at'];
    const parameters: Record<string, string | number> = { resource, at: options.at };
    if (options.namespace !== undefined) {
      conditions.push('namespace = :namespace');
      parameters['namespace'] = options.namespace;
    }
    if (options.name !== undefined) {
      conditions.push('name = :name');
      parameters['name'] = options.name;
    }
    if (options.after !== undefined) {
      conditions.push('(namespace, name) > (:afterNamespace, :afterName)');
      parameters['afterNamespace'] = options.after.namespace;
      parameters['afterName'] = options.after.name;
    }
    // What is live now and was then, and what has been replaced or removed since.
    const where = conditions.join(' AND ');
    const selects = [`SELECT ${columns}, namespace, name FROM versions WHERE ${where} AND ${live}`];
    if (options.at < currentVersion()) {
      selects.push(
        `SELECT ${columns}, namespace, name FROM versions WHERE ${where} AND successor > :at AND deleted = 0`,
      );
    }
    const statement = sql.prepare(`${selects.join(' UNION ALL ')} ORDER BY namespace, name`);
    for (const row of statement.iterate(parameters)) yield storedVersionOf(row);
  }

  return {
    current: currentVersion,
    horizon: () => Number(horizon.get()?.['horizon'] ?? 0),
    live(resource, key) {
      const row = getLive.get(resource, key.namespace, key.name);
      return row === undefined ? undefined : storedVersionOf(row);
    },
    snapshot,
    since: (resource, version, limit) => selectSince.all(version, resource, limit).map(storedVersionOf),
    at(version) {
      const row = getAt.get(version);
      return row === undefined ? undefined : storedVersionOf(row);
    },
    append({ resource, key, object, predecessor, deleted, writtenAtMs }) {
      const version = currentVersion() + 1;
      const body = JSON.stringify(object);
      if (predecessor !== undefined) {
        supersede.run(version, predecessor.version);
        for (const owner of ownersOf(predecessor.object)) removeOwner.run(owner, predecessor.version);
      }
      const before = predecessor?.version ?? null;
      insert.run(version, resource, key.namespace, key.name, deleted ? 1 : 0, before, writtenAtMs, body);
      if (!deleted) for (const owner of ownersOf(object)) addOwner.run(owner, version);
      return storedVersionOf({ version, deleted: deleted ? 1 : 0, predecessor: before, resource, body });
    },
    owned(owner) {
      const rows = owner === undefined ? ownedByAny.all() : ownedBy.all(owner);
      return rows.flatMap(row => {
        const found = getAt.get(row['version'] ?? null);
        return found === undefined ? [] : [storedVersionOf(found)];
      });
    },
    writtenBefore: (resource, epochMs) => oldLive.all(resource, epochMs).map(storedVersionOf),
    newestBefore: epochMs => Number(newestBefore.get(epochMs)?.['version'] ?? 0),
    forget(upTo) {
      setHorizon.run(upTo);
      dropSuperseded.run(upTo);
      dropTombstones.run(upTo);
    },
  };
}
