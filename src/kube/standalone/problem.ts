import { z } from 'zod';
import type { Records } from '../embedded/records.ts';

/** What is wrong with a manifest, and where. Lines and columns count from 1. */
export interface ManifestProblem {
  readonly file: string;
  readonly line: number;
  readonly column?: number | undefined;
  readonly message: string;
}

/** A problem as compilers print it: `file:line:column: message`. */
export function problemText({ file, line, column, message }: ManifestProblem): string {
  return `${file}:${line}${column === undefined ? '' : `:${column}`}: ${message}`;
}

/** Where the store keeps them: so that `postern status` can show them from another process. */
export const problemCollection = 'manifest-problems';
const recordKey = 'present';

const storedProblems = z.array(
  z.object({ file: z.string(), line: z.number(), column: z.number().optional(), message: z.string() }),
);

/** The problems that the manifests of a state folder had when they were read last. */
export function readManifestProblems(store: {
  records(collection: string): Records;
}): readonly ManifestProblem[] {
  const text = store.records(problemCollection).get(recordKey);
  return text === undefined ? [] : storedProblems.parse(JSON.parse(text));
}

/** Keeps the problems for `readManifestProblems`; writes where they changed alone. */
export async function storeManifestProblems(
  store: { records(collection: string): Records },
  problems: readonly ManifestProblem[],
): Promise<void> {
  const records = store.records(problemCollection);
  const text = JSON.stringify(problems);
  if ((records.get(recordKey) ?? '[]') !== text) await records.set(recordKey, text);
}
