import { parseDuration } from '../../core/duration.ts';

/** spec.duration of a Certificate that has none: 90 days. */
export const defaultDuration = '2160h';
/** The shortest spec.duration, in milliseconds. */
export const minimumDurationMs = 3_600_000;
/** The shortest spec.renewBefore, in milliseconds. */
export const minimumRenewBeforeMs = 300_000;

/** What decides when a certificate is renewed. */
export interface RenewalInput {
  /** The certificate's own limits, in milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** spec.renewBefore of its Certificate. */
  readonly renewBefore?: string | undefined;
  /** spec.renewBeforePercentage of its Certificate. */
  readonly renewBeforePercentage?: number | undefined;
}

/**
 * How long before its end a certificate is renewed, in milliseconds: renewBefore where it is within the
 * lifetime; else its percentage of the lifetime; else a third of the lifetime. The lifetime is the one the
 * certificate has, not the one that was asked for.
 */
export function renewBeforeMs(input: RenewalInput): number {
  return writtenRenewBeforeMs(input) ?? (input.notAfterMs - input.notBeforeMs) / 3;
}

/** The same, where the spec says it in a way that this certificate can honour. */
function writtenRenewBeforeMs(input: RenewalInput): number | undefined {
  const lifetimeMs = input.notAfterMs - input.notBeforeMs;
  const wantedMs = input.renewBefore === undefined ? undefined : parseDuration(input.renewBefore);
  if (wantedMs !== undefined && wantedMs > 0 && wantedMs < lifetimeMs) return wantedMs;
  const percentage = input.renewBeforePercentage;
  const isPercentage = percentage !== undefined && percentage > 0 && percentage < 100;
  return isPercentage ? (lifetimeMs * percentage) / 100 : undefined;
}

/** When a certificate is renewed, in milliseconds since the epoch, cut to whole seconds as status.renewalTime is. */
export function renewalTimeMs(input: RenewalInput): number {
  return Math.floor((input.notAfterMs - renewBeforeMs(input)) / 1_000) * 1_000;
}

/** So much of the time before or after the renewal, whichever is shorter, may be taken to spread renewals. */
const spreadShare = 0.03;

/**
 * `renewalTimeMs` brought forward by up to 3 % of `renewBeforeMs`, so that certificates of one hour are not renewed in one
 * second. `share`, of 0 to 1, is the certificate's own: the same each time. What somebody has written is kept to the second.
 */
export function spreadRenewalTimeMs(input: RenewalInput, share: number): number {
  if (writtenRenewBeforeMs(input) !== undefined) return renewalTimeMs(input);
  const beforeMs = renewBeforeMs(input);
  const lifetimeMs = input.notAfterMs - input.notBeforeMs;
  const earlierMs = share * spreadShare * Math.min(beforeMs, Math.max(0, lifetimeMs - beforeMs));
  return Math.floor((input.notAfterMs - beforeMs - earlierMs) / 1_000) * 1_000;
}
