import { chmodSync, closeSync, lstatSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, TerminalError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

/** The files of a state folder. Each is readable by its owner alone: Secrets lie in them. */
export interface StateFiles {
  readonly folder: string;
  readonly database: string;
  /** SQLite's write-ahead log. */
  readonly log: string;
  /** A second database that holds nothing; the process that has a transaction open on it owns the folder. */
  readonly lock: string;
  /** The process that took the lock last. */
  readonly pid: string;
  /** The socket at which the running process takes commands. */
  readonly socket: string;
}

const fileNames: readonly string[] = [
  'state.db',
  'state.db-wal',
  'state.db-shm',
  'state.db-journal',
  'lock.db',
  'lock.db-journal',
  'pid',
];
const socketName = 'control.sock';

/** Where the files of a state folder are. */
export function stateFilesIn(folder: string): StateFiles {
  return {
    folder,
    database: join(folder, 'state.db'),
    log: join(folder, 'state.db-wal'),
    lock: join(folder, 'lock.db'),
    pid: join(folder, 'pid'),
    socket: join(folder, socketName),
  };
}

function refuse(message: string, cause?: unknown): never {
  throw new TerminalError(message, { code: 'STATE_FOLDER_UNUSABLE', cause });
}

/** Makes the folder mode 0700. One that others can read is tightened where it is Postern's alone, else refused. */
function ensurePrivateFolder(folder: string, logger: Logger): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    refuse(`The state folder ${folder} cannot be made: ${messageOf(cause)}`, cause);
  }
  const mode = statSync(folder).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  const octal = mode.toString(8).padStart(4, '0');
  const foreign = readdirSync(folder).find(name => !fileNames.includes(name) && name !== socketName);
  if (foreign !== undefined) {
    refuse(
      `The state folder ${folder} is open to other users (mode ${octal}) and holds other files (${foreign}). ` +
        'Secrets are kept in it: name a folder of its own, a new sub-folder for instance, or make it mode 0700.',
    );
  }
  try {
    chmodSync(folder, 0o700);
  } catch (cause) {
    refuse(
      `The state folder ${folder} is open to other users (mode ${octal}) and belongs to another one. ` +
        'Secrets are kept in it: name a folder of its own, a new sub-folder for instance, or make it mode 0700.',
      cause,
    );
  }
  logger.info('The state folder was open to other users; it is mode 0700 now', { folder, mode: octal });
}

/**
 * Makes a file mode 0600 before anything is written to it; SQLite gives its side files the mode of the main
 * one. A file that exists is never opened here: POSIX drops all locks of a process on a file as soon as the
 * process closes any descriptor of it, the lock of an open store included.
 */
function ensurePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      refuse(`${path} cannot be made: ${messageOf(cause)}`);
  }
}

function tighten(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isFile()) refuse(`${path} is not a plain file: remove it, or name another state folder.`);
  if ((stats.mode & 0o077) === 0) return;
  try {
    chmodSync(path, 0o600);
  } catch (cause) {
    refuse(`${path} can be read by other users and cannot be made mode 0600: ${messageOf(cause)}`, cause);
  }
}

/**
 * Makes the folder and its files, or tightens their modes: 0700 and 0600. Throws STATE_FOLDER_UNUSABLE with
 * the reason and the fix where that cannot be had.
 */
export function prepareStateFolder(folder: string, logger: Logger): StateFiles {
  ensurePrivateFolder(folder, logger);
  const files = stateFilesIn(folder);
  ensurePrivateFile(files.database);
  ensurePrivateFile(files.lock);
  for (const name of fileNames) tighten(join(folder, name));
  return files;
}
