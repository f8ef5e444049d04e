import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';

/** What a folder of manifests holds now. Paths are below the folder, in the order in which they count. */
export interface FolderContent {
  readonly files: ReadonlyMap<string, string>;
  /** The real paths of all folders, to be watched. */
  readonly folders: ReadonlySet<string>;
  /** What could not be read, `''` being the folder itself; what lies below it is not known. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** The same number for the same content. */
  readonly revision: number;
}

/** Reads a folder again and again, and each file where it seems to have changed alone. */
export interface ManifestFolder {
  read(): Promise<FolderContent>;
}

interface Known {
  readonly fingerprint: string;
  readonly text: string;
}

const manifestName = /\.(ya?ml|json)$/i;

/**
 * The `.yaml`, `.yml` and `.json` files of a folder and its sub-folders. Hidden names are passed over:
 * editors keep their copies under such, and a mounted ConfigMap its versions (`..data`), to which the visible
 * names are links.
 */
export function manifestFolder(dir: string): ManifestFolder {
  let known = new Map<string, Known>();
  let state = '';
  let revision = 0;

  async function readText(path: string, relative: string): Promise<Known | undefined> {
    const stats = await stat(path, { bigint: true });
    // A pipe would never end.
    if (!stats.isFile()) return undefined;
    const fingerprint = [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
    const before = known.get(relative);
    if (before?.fingerprint === fingerprint) return before;
    return { fingerprint, text: await readFile(path, 'utf8') };
  }

  return {
    async read() {
      const found = new Map<string, Known>();
      const folders = new Set<string>();
      const unreadable = new Map<string, string>();
      const attempt = async (relative: string, read: () => Promise<void>): Promise<void> => {
        try {
          await read();
        } catch (thrown) {
          // Gone between the listing and the reading; the listing itself must not be.
          if (relative !== '' && (thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
          unreadable.set(relative, messageOf(thrown));
        }
      };
      const visit = async (relative: string): Promise<void> => {
        const real = await realpath(join(dir, relative));
        if (folders.has(real)) return;
        folders.add(real);
        for (const entry of await readdir(real, { withFileTypes: true })) {
          if (entry.name.startsWith('.')) continue;
          const below = relative === '' ? entry.name : `${relative}/${entry.name}`;
          await attempt(below, async () => {
            const path = join(dir, below);
            if (entry.isDirectory() || (entry.isSymbolicLink() && (await stat(path)).isDirectory())) {
              await visit(below);
            } else if (manifestName.test(entry.name)) {
              const content = await readText(path, below);
              if (content !== undefined) found.set(below, content);
            }
          });
        }
      };
      await attempt('', () => visit(''));
      const inOrder = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const fingerprints = inOrder.map(([path, { fingerprint }]) => [path, fingerprint]);
      const stateNow = JSON.stringify([fingerprints, [...unreadable]]);
      if (stateNow !== state) revision++;
      [known, state] = [found, stateNow];
      const files = new Map(inOrder.map(([path, { text }]) => [path, text]));
      return { files, folders, unreadable, revision };
    },
  };
}
