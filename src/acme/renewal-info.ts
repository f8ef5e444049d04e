import { z } from 'zod';
import type { CertificateInfo } from '../pki/certificate.ts';
import type { AcmeConnection, CallOptions } from './connection.ts';
import { AcmeError } from './errors.ts';
import { quotable } from './problem.ts';

/** When a server would like a certificate to be renewed (RFC 9773 section 4.2). */
export interface RenewalInfo {
  /** The suggested window, in milliseconds since the epoch; the end is after the start. */
  readonly startMs: number;
  readonly endMs: number;
  /** A page that says why, where there is something to say. */
  readonly explanationUrl: string | undefined;
  /** When to ask again, in milliseconds from now: what Retry-After says, within a minute and a day; else 6 hours. */
  readonly retryAfterMs: number;
}

/** How often to ask where a server does not say (RFC 9773 section 4.3.3). */
export const defaultPollMs = 6 * 3_600_000;
/** Bounds of what a server may ask for (RFC 9773 section 4.3.1). */
const [shortestPollMs, longestPollMs] = [60_000, 24 * 3_600_000];

const instant = z.iso.datetime({ offset: true }).transform(text => Date.parse(text));

const renewalInfoSchema = z
  .object({
    suggestedWindow: z.object({ start: instant, end: instant }),
    explanationURL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .catch(undefined),
  })
  // Such a window counts as no answer (RFC 9773 section 4.2).
  .refine(({ suggestedWindow: { start, end } }) => end > start, { path: ['suggestedWindow', 'end'] });

/**
 * The identifier by which ACME servers know a certificate (RFC 9773 section 4.1). Undefined for a certificate without an
 * authority key identifier. Throws a PkiError where the certificate cannot be read.
 */
export function certIdOf(
  certificate: Pick<CertificateInfo, 'authorityKeyId' | 'serialNumber'>,
): string | undefined {
  const { authorityKeyId, serialNumber } = certificate;
  if (authorityKeyId === undefined || !/^[0-9A-F]+$/i.test(serialNumber)) return undefined;
  const magnitude = Buffer.from(
    serialNumber.padStart(serialNumber.length + (serialNumber.length % 2), '0'),
    'hex',
  );
  // The octets of a DER integer: one more where the first bit would make it negative.
  const octets = (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), magnitude]) : magnitude;
  return `${authorityKeyId.toString('base64url')}.${octets.toString('base64url')}`;
}

/** Whether a text has the form of a CertID. */
export function isCertId(text: string): boolean {
  return text.length <= 512 && /^[\w-]+\.[\w-]+$/.test(text);
}

/**
 * Asks when the certificate with this CertID is to be renewed, without signing the request. Undefined where the server
 * has no renewal information at all. Throws ACME_BAD_ANSWER for an answer that does not parse or has no window, and
 * ACME_NOT_FOUND where the server does not know the certificate.
 */
export async function getRenewalInfo(
  conn: AcmeConnection,
  certId: string,
  options: CallOptions = {},
): Promise<RenewalInfo | undefined> {
  const { renewalInfo } = await conn.directory(options);
  if (renewalInfo === undefined) return undefined;
  const answer = await conn.get({
    url: `${renewalInfo.replace(/\/$/, '')}/${certId}`,
    action: 'get_renewal_info',
    doing: 'to say when a certificate is to be renewed',
    signal: options.signal,
  });
  const parsed = renewalInfoSchema.safeParse(answer.json());
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new AcmeError(
      'ACME_BAD_ANSWER',
      `The ACME server ${conn.host} gave renewal information whose "${field}" is missing or malformed`,
      { status: answer.status },
    );
  }
  const { suggestedWindow, explanationURL } = parsed.data;
  const askedMs = answer.retryAfterMs ?? defaultPollMs;
  return {
    startMs: suggestedWindow.start,
    endMs: suggestedWindow.end,
    explanationUrl: explanationURL === undefined ? undefined : quotable(explanationURL, 300),
    retryAfterMs: Math.min(longestPollMs, Math.max(shortestPollMs, askedMs)),
  };
}
