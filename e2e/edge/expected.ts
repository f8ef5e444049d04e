import { expect } from 'vitest';
import type { Answer } from './ask.ts';
import { type SeenTls, valuesOf } from './reporting-upstream.ts';

/** What a request comes to. What is left out may be anything. */
export interface Expected {
  readonly status?: number;
  /** Of the answer; null: not there. */
  readonly fields?: Readonly<Record<string, string | RegExp | null>>;
  readonly upstream?: string;
  /** The connection that the edge made, as far as it is of interest. */
  readonly tls?: Partial<SeenTls>;
  /** As the upstream saw it. */
  readonly path?: string;
  /** What the upstream was sent; null: not there. */
  readonly sent?: Readonly<Record<string, string | RegExp | null>>;
}

/** Asserts that an answer is as expected. */
export function check(
  answer: Answer,
  { status, fields = {}, upstream, path, sent = {}, tls }: Expected,
): void {
  if (status !== undefined) expect(answer.status).toBe(status);
  for (const [name, value] of Object.entries(fields)) {
    const found = answer.headers[name];
    const text = Array.isArray(found) ? found.join(', ') : found;
    if (value === null) expect([name, text]).toEqual([name, undefined]);
    else if (typeof value === 'string') expect([name, text]).toEqual([name, value]);
    else expect(text).toMatch(value);
  }
  if (upstream !== undefined) expect(answer.seen().upstream).toBe(upstream);
  if (tls !== undefined) expect(answer.seen().tls).toMatchObject(tls);
  if (path !== undefined) expect(answer.seen().path).toBe(path);
  for (const [name, value] of Object.entries(sent)) {
    const values = valuesOf(answer.seen(), name);
    if (value instanceof RegExp) expect(values.join(', ')).toMatch(value);
    else expect([name, values]).toEqual([name, value === null ? [] : [value]]);
  }
}
