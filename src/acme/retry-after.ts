/** The longest wait that is believed; a server that asks for more is asked again after this. */
const longestMs = 7 * 24 * 3_600_000;

function bounded(ms: number): number {
  return Math.min(longestMs, Math.max(0, Math.ceil(ms)));
}

/**
 * Reads a Retry-After header in both its forms, seconds and HTTP date (RFC 9110 section 10.2.3). Gives milliseconds
 * from `nowMs`, 0 for an instant that has passed, undefined where there is none or it does not parse.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return bounded(Number(text) * 1_000);
  // An HTTP date begins with the day's name; Date.parse alone would take much else.
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : bounded(at - nowMs);
}

/**
 * The instant that Let's Encrypt writes into the detail of a rate limit: `retry after 2026-01-02 15:04:05 UTC`.
 * Gives milliseconds from `nowMs`, or undefined.
 */
export function retryAfterInDetail(detail: string, nowMs: number): number | undefined {
  const match = /retry after (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?: ?UTC|Z)/i.exec(detail);
  if (match === null) return undefined;
  const at = Date.parse(`${match[1]}T${match[2]}Z`);
  return Number.isNaN(at) ? undefined : bounded(at - nowMs);
}
