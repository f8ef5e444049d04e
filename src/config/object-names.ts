import { UsageError } from './usage-error.ts';
import { objectName } from './values.ts';

/** The names that stand on a command line, each checked. Throws a UsageError that names the bad ones. */
export function objectNamesIn(command: string, words: readonly string[]): readonly string[] {
  const schema = objectName();
  const problems = words.flatMap(word => {
    const result = schema.safeParse(word);
    return result.success
      ? []
      : [`${command}: ${JSON.stringify(word)} ${result.error.issues[0]?.message ?? 'is no name'}.`];
  });
  if (problems.length > 0) throw new UsageError(problems);
  return words;
}
