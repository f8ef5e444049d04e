import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A file of the corpus: the bytes of one connection, named after what is special about them. */
export interface CorpusCase {
  readonly name: string;
  readonly bytes: Buffer;
}

export type CorpusPart = 'requests/taken' | 'requests/refused' | 'answers/taken' | 'answers/refused';

/** The cases of one part, by name. A new finding goes in as the shortest bytes that show it, in a file of its own. */
export function corpus(part: CorpusPart): CorpusCase[] {
  const folder = join(import.meta.dirname, 'corpus', part);
  return readdirSync(folder)
    .toSorted()
    .map(file => ({ name: basename(file, '.http'), bytes: readFileSync(join(folder, file)) }));
}
