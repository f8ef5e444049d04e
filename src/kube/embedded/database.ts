import { closeSync, existsSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { messageOf, TerminalError } from '../../core/errors.ts';
import { KubeError } from '../errors.ts';
import { isDamaged } from './sqlite-errors.ts';
import type { StateFiles } from './state-folder.ts';

/**
 * The layout, version 1. `versions` is the store and its history in one, as in etcd: each write adds a row,
 * and the row that it replaces gets its number in `successor`. What is live has no successor and is no
 * tombstone (`deleted`). `horizon` is the last version before which history has been forgotten.
 */
const layoutVersion = 1;
const layout = `
  CREATE TABLE versions (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    predecessor INTEGER,
    successor INTEGER,
    writtenAtMs INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX versions_live ON versions (resource, namespace, name) WHERE successor IS NULL AND deleted = 0;
  CREATE INDEX versions_superseded ON versions (successor) WHERE successor IS NOT NULL;
  CREATE INDEX versions_tombstones ON versions (version) WHERE deleted = 1;
  CREATE TABLE owners (owner TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (owner, version)) STRICT, WITHOUT ROWID;
  CREATE TABLE history (horizon INTEGER NOT NULL) STRICT;
  INSERT INTO history VALUES (0);
  CREATE TABLE records (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${layoutVersion};
`;

/** An open state database. */
export interface Database {
  readonly sql: DatabaseSync;
  /** Runs `work` in one transaction: all of its writes are committed, or none where it throws. */
  transaction<T>(work: () => T): T;
  /** Resolves once everything that was committed before the call is on the disk itself. */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

const datasync = promisify(fdatasync);

function prepareLayout(sql: DatabaseSync, files: StateFiles, readOnly: boolean): void {
  const { user_version: found } = sql.prepare('PRAGMA user_version').get() as { user_version: number };
  if (found === 0 && !readOnly) {
    sql.exec(`BEGIN IMMEDIATE; ${layout} COMMIT`);
  } else if (found === 0) {
    throw new TerminalError(`There is no state of a standalone Postern in ${files.folder} yet.`, {
      code: 'STATE_FOLDER_EMPTY',
    });
  } else if (found !== layoutVersion) {
    throw new TerminalError(
      `The state in ${files.folder} was written by a newer Postern (layout ${found}; this one knows ` +
        `${layoutVersion}). Run that version, or name another state folder.`,
      { code: 'STATE_FOLDER_UNUSABLE' },
    );
  }
}

/**
 * Flushes of a write-ahead log, off the event loop. Commits that wait for one share the next, so that a burst
 * costs a few flushes and not one a write.
 */
function groupFlush(fd: number): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    queued = undefined;
    running = datasync(fd).catch((cause: unknown) => {
      throw new KubeError(
        'KUBE_UNAVAILABLE',
        `The embedded store could not be flushed: ${messageOf(cause)}`,
        {
          cause,
        },
      );
    });
    return running;
  };
  return () => (queued ??= running.then(begin, begin));
}

/**
 * Opens the database of a state folder; for writing, the caller holds the folder's lock.
 *
 * Durability: the journal is a write-ahead log. Once COMMIT has returned, its pages are in the kernel's cache
 * of that log, so that the end of the process, by SIGKILL too, loses nothing. For a power cut they must be on
 * the disk: `synchronous=NORMAL` leaves that to us, and `flushed()` does it by fdatasync on a thread, where
 * `synchronous=FULL` would stop the event loop, and with it the edge, for each write. SQLite itself flushes
 * log and database around each checkpoint.
 */
export function openDatabase(files: StateFiles, options: { readonly readOnly: boolean }): Database {
  const { readOnly } = options;
  if (readOnly && !existsSync(files.database)) {
    throw new TerminalError(`There is no state of a standalone Postern in ${files.folder}.`, {
      code: 'STATE_FOLDER_EMPTY',
    });
  }
  let sql: DatabaseSync | undefined;
  try {
    sql = new DatabaseSync(files.database, { readOnly, timeout: 5_000 });
    if (!readOnly) {
      // What is deleted is overwritten: Secrets hold private keys.
      sql.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;');
      sql.exec(`PRAGMA journal_size_limit = ${16 * 2 ** 20}`);
    }
    prepareLayout(sql, files, readOnly);
    if (!readOnly) sql.exec('UPDATE history SET horizon = horizon'); // The log file exists from here on.
  } catch (thrown) {
    sql?.close();
    if (thrown instanceof TerminalError) throw thrown;
    const fix = isDamaged(thrown) ? ' Restore it from a copy, or remove it to start anew.' : '';
    throw new TerminalError(`The state in ${files.database} cannot be opened: ${messageOf(thrown)}.${fix}`, {
      code: 'STATE_FOLDER_UNUSABLE',
      cause: thrown,
    });
  }
  const database = sql;
  const logFd = readOnly ? undefined : openSync(files.log, 'r+');
  const flush = logFd === undefined ? () => Promise.resolve() : groupFlush(logFd);
  if (!readOnly) flushFolder(files.folder);
  return {
    sql: database,
    transaction(work) {
      database.exec(readOnly ? 'BEGIN' : 'BEGIN IMMEDIATE');
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (thrown) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw thrown;
      }
    },
    flushed: flush,
    async close() {
      await flush().catch(() => {});
      database.close();
      if (logFd !== undefined) closeSync(logFd);
    },
  };
}

/** Makes the names of new files last through a power cut. */
function flushFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
