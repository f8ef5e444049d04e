import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderedDefinitions } from '../src/api/crd/rendered.ts';

/**
 * Writes the CRDs beside this file, from the schemas in src/api. With --check it writes nothing, names what
 * differs and ends with 1.
 */
const folder = import.meta.dirname;
const wanted = renderedDefinitions();
const found = yamlFiles();

const stale = [...found].filter(file => !wanted.has(file));
const changed = [...wanted].filter(
  ([file, text]) => !found.has(file) || readFileSync(join(folder, file), 'utf8') !== text,
);

if (process.argv.includes('--check')) {
  const fix = 'run "node crds/generate.ts"';
  for (const file of stale) console.error(`crds/${file} is not made from src/api any more: ${fix}`);
  for (const [file] of changed) console.error(`crds/${file} is not what src/api says: ${fix}`);
  process.exitCode = stale.length + changed.length === 0 ? 0 : 1;
} else {
  for (const file of stale) rmSync(join(folder, file));
  for (const [file, text] of changed) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), text);
    console.log(`wrote crds/${file}`);
  }
}

function yamlFiles(): Set<string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Set(
    entries
      .filter(entry => entry.isFile() && entry.name.endsWith('.yaml'))
      .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1)),
  );
}
