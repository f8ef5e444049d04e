import type { z } from 'zod';
import { type Problem, problemAt, valueAt } from './problem.ts';

/** Fields whose values are not repeated in messages. */
const secretFields: ReadonlySet<PropertyKey> = new Set(['data', 'stringData', 'password', 'key', 'token']);

/** What keeps `value` from being what `schema` wants, said to a user. `at` is where the value stands in its object. */
export function problemsOf(schema: z.ZodType, value: unknown, at: readonly string[] = []): Problem[] {
  const result = schema.safeParse(value);
  return result.success ? [] : problemsOfError(result.error, value, at);
}

/** The same, of a parse that has failed already. */
export function problemsOfError(error: z.ZodError, value: unknown, at: readonly string[] = []): Problem[] {
  return error.issues.map(issue => problemOfIssue(issue, value, at));
}

type Issue = z.core.$ZodIssue;

function problemOfIssue(issue: Issue, value: unknown, at: readonly string[]): Problem {
  const wanted = wantedBy(issue, valueAt(value, issue.path));
  const rooted = at.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
  const secret = issue.path.some(step => secretFields.has(step));
  return problemAt(rooted, [...at, ...issue.path], wanted, { secret });
}

/** The end of the sentence: what is wanted in the place of `value`. */
function wantedBy(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return wantedType(issue.expected, value);
    case 'invalid_value': {
      const choices = issue.values.map(choice => JSON.stringify(choice)).join(', ');
      return value === undefined ? `is missing: set it to one of ${choices}` : `must be one of ${choices}`;
    }
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'is empty: give it a value';
      return `must ${amount(issue.origin)} ${issue.minimum} or more`;
    case 'too_big':
      return `must ${amount(issue.origin)} ${issue.maximum} at most`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

function amount(origin: string): string {
  if (origin === 'string') return 'have a length of';
  return origin === 'array' || origin === 'set' ? 'have a number of entries of' : 'be';
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false, without quotes',
  array: 'a list',
  object: 'a map of fields',
  record: 'a map of keys to values',
};

function wantedType(expected: string, value: unknown): string {
  const name = typeNames[expected] ?? expected;
  if (value === undefined) return `is missing: set it to ${name}`;
  if (value === null) return `is null: set it to ${name}, or leave it out`;
  const quotable = expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  return quotable ? 'must be text: put quotes around it' : `must be ${name}`;
}
