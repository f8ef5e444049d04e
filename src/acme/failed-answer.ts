import { type AcmeError, errorOfAnswer } from './errors.ts';
import { type AcmeProblem, problemSchema } from './problem.ts';
import { parseRetryAfter, retryAfterInDetail } from './retry-after.ts';
import type { AcmeAnswer } from './transport.ts';

/** The problem document of an answer, where it has one. */
export function problemOf(answer: AcmeAnswer): AcmeProblem | undefined {
  // Some CAs label their problems application/json. What does not parse is no problem document.
  if (!/json/i.test(answer.headers['content-type'] ?? '')) return undefined;
  try {
    const parsed = problemSchema.safeParse(JSON.parse(answer.body.toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** How long an answer asks to be left alone, in milliseconds from `nowMs`: by its header, or by the words of its 429. */
export function retryAfterOf(answer: AcmeAnswer, nowMs: number): number | undefined {
  const named = parseRetryAfter(answer.headers['retry-after'], nowMs);
  if (named !== undefined || answer.status !== 429) return named;
  return retryAfterInDetail(problemOf(answer)?.detail ?? '', nowMs);
}

/** The error for an answer of `host` that is none of those that were wanted. `doing` reads like "to make an order". */
export function failureOf(answer: AcmeAnswer, doing: string, host: string, nowMs: number): AcmeError {
  const retryAfterMs = retryAfterOf(answer, nowMs);
  return errorOfAnswer(doing, host, {
    status: answer.status,
    problem: problemOf(answer),
    retryAfterMs,
    retryAtMs: retryAfterMs === undefined ? undefined : nowMs + retryAfterMs,
    empty: answer.body.length === 0,
  });
}
