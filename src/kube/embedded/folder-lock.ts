import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { TerminalError } from '../../core/errors.ts';
import { isBusy } from './sqlite-errors.ts';
import type { StateFiles } from './state-folder.ts';

/** A held lock on a state folder. */
export interface FolderLock {
  release(): void;
}

function holderOf(files: StateFiles): string {
  try {
    const pid = readFileSync(files.pid, 'utf8').trim();
    return /^\d+$/.test(pid) ? ` (process ${pid})` : '';
  } catch {
    return '';
  }
}

/**
 * Takes the folder for this process, or throws STATE_FOLDER_IN_USE, naming the folder and the process that has
 * it. The lock is SQLite's own on an empty database beside the data: the kernel lets go of it when the process
 * ends in whatever way, and readers of the data are not in its way.
 */
export function lockFolder(files: StateFiles): FolderLock {
  const lock = new DatabaseSync(files.lock);
  try {
    lock.exec('BEGIN IMMEDIATE');
  } catch (thrown) {
    lock.close();
    if (!isBusy(thrown)) throw thrown;
    throw new TerminalError(
      `The state folder ${files.folder} is in use by another Postern${holderOf(files)}. ` +
        'Stop that one first, or give this one a folder of its own with --state-dir.',
      { code: 'STATE_FOLDER_IN_USE', cause: thrown },
    );
  }
  writeFileSync(files.pid, `${process.pid}\n`, { mode: 0o600 });
  return {
    release() {
      rmSync(files.pid, { force: true });
      lock.close();
    },
  };
}
