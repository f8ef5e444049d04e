const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Reads a duration as Go and `metav1.Duration` write it (`2160h`, `1h30m`, `1.5h`, `-5s`, `0`).
 * Gives milliseconds, or undefined where the text is no duration.
 * Source: Go, package time, ParseDuration.
 */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of (match[2] ?? '').matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    totalMs += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  }
  return match[1] === '-' ? -totalMs : totalMs;
}

/** Writes whole milliseconds the way Go prints a duration: `2160h0m0s`, `1h30m0s`, `45s`, `1.5s`. */
export function formatDuration(totalMs: number): string {
  const sign = totalMs < 0 ? '-' : '';
  const ms = Math.abs(Math.round(totalMs));
  if (ms === 0) return '0s';
  if (ms < 1_000) return `${sign}${ms}ms`;
  const seconds = `${(ms % 60_000) / 1_000}s`;
  const minutes = Math.floor(ms / 60_000) % 60;
  const hours = Math.floor(ms / 3_600_000);
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}
