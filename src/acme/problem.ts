import { z } from 'zod';

/** Who a subproblem is about. */
export interface AcmeIdentifier {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

/** A problem about one identifier of an order (RFC 8555 section 6.7.1). */
export interface AcmeSubproblem {
  readonly identifier: string | undefined;
  readonly type: string;
  readonly detail: string;
}

/** What an ACME server says went wrong (RFC 7807, RFC 8555 section 6.7), made fit for a status and a log. */
export interface AcmeProblem {
  /** The last part of `urn:ietf:params:acme:error:<type>`, else the type as it is, else ''. */
  readonly type: string;
  /** At most 500 characters, without control characters and key authorizations. */
  readonly detail: string;
  readonly status: number | undefined;
  readonly subproblems: readonly AcmeSubproblem[];
}

const longestDetail = 500;
const mostSubproblems = 100;
const prefix = 'urn:ietf:params:acme:error:';

/** Text of another side, made fit for a message: one line, no control characters, at most `longest` characters. */
export function quotable(text: string, longest = longestDetail): string {
  const line = text
    // A CA quotes what it expected of an HTTP01 answer, and what it got.
    .replaceAll(/[\w-]{16,}\.[\w-]{43}(?![\w-])/g, '<key authorization>')
    .replaceAll(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 3)}...`;
}

const text = z.string().catch('');
const subproblem = z
  .object({
    type: text,
    detail: text,
    identifier: z.object({ value: z.string() }).optional().catch(undefined),
  })
  .transform(
    (found): AcmeSubproblem => ({
      identifier: found.identifier === undefined ? undefined : quotable(found.identifier.value, 253),
      type: shortType(found.type),
      detail: quotable(found.detail),
    }),
  );

/** A problem document, lenient: what does not fit is left out, never an error. */
export const problemSchema = z
  .object({
    type: text,
    detail: text,
    status: z.number().optional().catch(undefined),
    subproblems: z.array(z.unknown()).optional().catch(undefined),
  })
  .transform(
    (found): AcmeProblem => ({
      type: shortType(found.type),
      detail: quotable(found.detail),
      status: found.status,
      subproblems: (found.subproblems ?? []).slice(0, mostSubproblems).flatMap(item => {
        const parsed = subproblem.safeParse(item);
        return parsed.success ? [parsed.data] : [];
      }),
    }),
  );

function shortType(type: string): string {
  return quotable(type.startsWith(prefix) ? type.slice(prefix.length) : type, 100);
}

/** A problem as one sentence for a user: `unauthorized: no answer ... (a.example.com: dns: ...)`. */
export function problemText(problem: AcmeProblem): string {
  const head = [problem.type, problem.detail].filter(part => part !== '').join(': ');
  const parts = problem.subproblems
    .slice(0, 5)
    .map(sub => [sub.identifier ?? '', sub.type, sub.detail].filter(part => part !== '').join(': '));
  return parts.length === 0 ? head : quotable(`${head} (${parts.join('; ')})`, 2 * longestDetail);
}
