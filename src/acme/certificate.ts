import { X509Certificate } from 'node:crypto';
import util from 'acme-client/src/util.js';
import type { AcmeConnection, CallOptions, SignedAnswer } from './connection.ts';
import { AcmeError } from './errors.ts';
import { isCertificate, splitChain, topmostIssuer } from './pem-chain.ts';

/** More alternates than any CA has. */
const mostAlternates = 8;

/**
 * Downloads the certificate of a valid order with its chain, leaf first, without the root (RFC 8555 section 7.4.2).
 * With `preferredChain` the alternate chains are looked at in their order too, and the first whose topmost
 * certificate was issued by that common name is given; where none was, the server's default.
 */
export async function downloadCertificate(
  conn: AcmeConnection,
  url: string,
  options: CallOptions & { readonly preferredChain?: string | undefined } = {},
): Promise<{ readonly chainPem: string }> {
  const { preferredChain = '', signal } = options;
  const first = await download(conn, url, signal);
  if (preferredChain === '' || topmostIssuer(first.chainPem) === preferredChain)
    return { chainPem: first.chainPem };
  for (const alternate of first.alternates) {
    const { chainPem } = await download(conn, alternate, signal);
    if (topmostIssuer(chainPem) === preferredChain) return { chainPem };
  }
  return { chainPem: first.chainPem };
}

/** Why a certificate is revoked, as RFC 5280 section 5.3.1 numbers it. */
export const revocationReasons = Object.freeze({
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
});

/**
 * Revokes a certificate, given as PEM, in the account's name (RFC 8555 section 7.6). One that is revoked already
 * is a success.
 */
export async function revokeCertificate(
  conn: AcmeConnection,
  certificatePem: string,
  options: CallOptions & { readonly reason?: keyof typeof revocationReasons | undefined } = {},
): Promise<void> {
  const { revokeCert } = await conn.directory(options);
  if (revokeCert === undefined) {
    throw new AcmeError('ACME_BAD_ANSWER', `The ACME server ${conn.host} has no revokeCert in its directory`);
  }
  const der = new X509Certificate(splitChain(certificatePem)[0] ?? certificatePem).raw;
  try {
    await conn.post({
      url: revokeCert,
      payload: {
        certificate: der.toString('base64url'),
        ...(options.reason === undefined ? {} : { reason: revocationReasons[options.reason] }),
      },
      action: 'revoke_cert',
      doing: 'to revoke a certificate',
      signal: options.signal,
    });
  } catch (error) {
    if (!(error instanceof AcmeError && error.code === 'ACME_ALREADY_REVOKED')) throw error;
  }
}

async function download(
  conn: AcmeConnection,
  url: string,
  signal: AbortSignal | undefined,
): Promise<{ chainPem: string; alternates: string[] }> {
  const answer = await conn.post({
    url,
    payload: null,
    action: 'fetch_cert',
    doing: 'to give a certificate',
    accept: 'application/pem-certificate-chain',
    signal,
  });
  const alternates = alternatesOf(answer, url);
  conn.trust(alternates);
  return { chainPem: chainOf(conn, answer), alternates };
}

function chainOf(conn: AcmeConnection, answer: SignedAnswer): string {
  const certificates = splitChain(answer.body.toString('latin1'));
  if (certificates.length > 0 && certificates.every(isCertificate)) return `${certificates.join('\n')}\n`;
  throw new AcmeError(
    'ACME_BAD_ANSWER',
    `The ACME server ${conn.host} gave no certificate where one was due`,
    {
      status: answer.status,
    },
  );
}

function alternatesOf(answer: SignedAnswer, base: string): string[] {
  const { link } = answer.headers;
  const header = Array.isArray(link) ? link.join(', ') : (link ?? '');
  return util
    .parseLinkHeader(header, 'alternate')
    .filter(target => URL.canParse(target, base))
    .slice(0, mostAlternates)
    .map(target => new URL(target, base).href);
}
