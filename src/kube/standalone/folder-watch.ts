import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

/** Tells when something may have changed in a set of folders. */
export interface FolderWatch {
  /** The folders to look at from now on, by their real paths. */
  setFolders(folders: ReadonlySet<string>): void;
  stop(): void;
}

const settleMs = 50;
const rescanEveryMs = 10_000;

/**
 * Calls `onChange` 50 ms after the last of a burst of changes, and every 10 seconds in any case: the kernel's
 * notices are not sent by all file systems, and their number is limited.
 */
export function watchFolders(onChange: () => void, clock: Clock, logger: Logger): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  let cancelSettle = (): void => {};
  let cancelRescan = (): void => {};
  let stopped = false;

  const soon = (): void => {
    cancelSettle();
    if (!stopped) cancelSettle = clock.after(settleMs, onChange);
  };
  const rescan = (): void => {
    cancelRescan = clock.after(rescanEveryMs, () => {
      rescan();
      onChange();
    });
  };
  const close = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const open = (folder: string): void => {
    try {
      const watcher = watch(folder, { persistent: false }, soon);
      watcher.on('error', () => close(folder));
      watchers.set(folder, watcher);
    } catch (thrown) {
      logger.debug('A folder cannot be watched; it is looked at every 10 seconds', {
        folder,
        error: messageOf(thrown),
      });
    }
  };
  rescan();
  return {
    setFolders(folders) {
      if (stopped) return;
      for (const folder of watchers.keys()) if (!folders.has(folder)) close(folder);
      for (const folder of folders) {
        if (watchers.has(folder)) continue;
        open(folder);
        // What was written between the reading and the watching has not been told.
        soon();
      }
    },
    stop() {
      stopped = true;
      cancelSettle();
      cancelRescan();
      for (const folder of watchers.keys()) close(folder);
    },
  };
}
