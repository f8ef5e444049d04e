import { createHash } from 'node:crypto';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { type RenewalInput, spreadRenewalTimeMs } from '../../api/cert-manager/certificate-times.ts';
import { findCondition } from '../../api/condition.ts';
import { conditionTypes } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import type { RenewalAdvice } from '../../issuers/acme/renewal-windows.ts';

/** What decides when the certificate of a Certificate is due for renewal. */
export interface RenewalTimeInput {
  readonly certificate: Certificate;
  /** The certificate in use. */
  readonly leaf: { readonly serialNumber: string; readonly notBeforeMs: number; readonly notAfterMs: number };
  /** When it was asked for, in milliseconds since the epoch; NaN where that is not known. */
  readonly askedForMs: number;
  readonly advice: RenewalAdvice;
}

/** When a certificate is due for renewal, and the window that the ACME server has suggested where that decides. */
export interface RenewalTime {
  readonly atMs: number;
  readonly window?: RenewalAdvice & { readonly kind: 'window' };
}

/** A certificate that is due so soon after it was asked for would be renewed without end. */
const shortestUseMs = 3_000;
/** The same where each that comes may be like that: the server wants it renewed, or it has expired, by a wrong clock. */
const shortestUseAnewMs = 3_600_000;

/**
 * When a certificate is due. Without advice by the spec, spread a little (`spreadRenewalTimeMs`). With a window, at the
 * certificate's own instant in it: earlier than the spec says or later, but no later than a `renewBefore` that somebody
 * has written. While the server has not answered yet, at the time that the status says.
 */
export function renewalTimeOf(input: RenewalTimeInput): RenewalTime {
  const { certificate, leaf, askedForMs, advice } = input;
  const share = shareOf(certificate, leaf.serialNumber);
  const bySpecMs = timeBySpec(input, share);
  if (advice.kind === 'none') return { atMs: bySpecMs };
  if (advice.kind === 'unknown' || advice.serialNumber !== leaf.serialNumber) {
    return { atMs: storedTime(input) ?? bySpecMs };
  }
  const inWindowMs = Math.floor((advice.startMs + share * (advice.endMs - advice.startMs)) / 1_000) * 1_000;
  // A window past the end of the certificate cannot be meant.
  if (inWindowMs >= leaf.notAfterMs) return { atMs: bySpecMs };
  const sinceMs = Number.isNaN(askedForMs) ? leaf.notBeforeMs : askedForMs;
  const soonestMs = Math.min(sinceMs + shortestUseAnewMs, bySpecMs);
  const atMs = Math.max(inWindowMs, soonestMs);
  const { renewBefore, renewBeforePercentage } = certificate.spec;
  const isBound = renewBefore !== undefined || renewBeforePercentage !== undefined;
  return isBound && bySpecMs <= atMs ? { atMs: bySpecMs } : { atMs, window: advice };
}

/** A number from 0 to 1 (not 1 itself) that is the certificate's own: evenly spread, and the same each time. */
export function shareOf({ metadata }: Pick<Certificate, 'metadata'>, serialNumber: string): number {
  const digest = createHash('sha256')
    .update(`${metadata.uid ?? ''}/${serialNumber}`)
    .digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

function timeBySpec({ certificate, leaf, askedForMs }: RenewalTimeInput, share: number): number {
  const { renewBefore, renewBeforePercentage } = certificate.spec;
  const { notBeforeMs, notAfterMs } = leaf;
  const limits: RenewalInput = { notBeforeMs, notAfterMs, renewBefore, renewBeforePercentage };
  const dueMs = spreadRenewalTimeMs(limits, share);
  if (Number.isNaN(askedForMs) || dueMs - askedForMs >= shortestUseMs) return dueMs;
  if (notAfterMs - askedForMs < shortestUseMs) return askedForMs + shortestUseAnewMs;
  // Certificates are backdated, and may come shorter than they were asked for: then there is no such time before.
  return spreadRenewalTimeMs({ notBeforeMs: Math.max(notBeforeMs, askedForMs), notAfterMs }, share);
}

/** status.renewalTime, where it was written for this certificate and this spec. */
function storedTime({ certificate: { metadata, status }, leaf }: RenewalTimeInput): number | undefined {
  const atMs = Date.parse(status?.renewalTime ?? '');
  const ready = findCondition(status?.conditions, conditionTypes.ready);
  const isSame =
    status?.notAfter === rfc3339(leaf.notAfterMs) &&
    status.notBefore === rfc3339(leaf.notBeforeMs) &&
    ready?.observedGeneration === metadata.generation;
  return isSame && atMs > leaf.notBeforeMs && atMs < leaf.notAfterMs ? atMs : undefined;
}
