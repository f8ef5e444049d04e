import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The manifests (`.yaml`, `.yml`, `.json`) below a folder, sorted, hidden ones left out; undefined where it is no folder. */
export function manifestFilesIn(path: string): readonly string[] | undefined {
  if (!statSync(path).isDirectory()) return undefined;
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => !/(^|\/)\.[^./]/.test(file.slice(path.length)))
    .toSorted();
}
