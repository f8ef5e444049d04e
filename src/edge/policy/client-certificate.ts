import { patternMatches } from '../match/known-patterns.ts';
import type { ClientCertificate, ConnectionFacts } from './request-head.ts';
import type { ClientCertificatePolicy, HeaderEdits } from './route-policy.ts';

/** What becomes of a request to a route with mutual TLS. */
export type CertificateVerdict =
  | { readonly kind: 'pass'; readonly edits: HeaderEdits }
  | { readonly kind: 'deny'; readonly status: 400 | 403 | 421; readonly reason: string };

/** Failures that `optional_no_ca` lets pass, in OpenSSL's words: the certificate hangs on no known authority, and all else is right. */
const unknownAuthority: ReadonlySet<string> = new Set([
  'self-signed certificate',
  'self-signed certificate in certificate chain',
  'unable to get issuer certificate',
  'unable to get local issuer certificate',
  'unable to verify the first certificate',
  'certificate not trusted',
]);

/**
 * Judges the client certificate of a connection for a route:
 *
 *   plain HTTP                                        -> 403 (nothing was verified; ingress-nginx would let it pass)
 *   the handshake was judged by another policy        -> 421: the client comes again with the right name in its SNI
 *   on: no certificate, or one that failed            -> 400
 *   optional: one that failed                         -> 400
 *   optional_no_ca: one that failed for other reasons -> 400
 *   the common name is not the one asked for          -> 403
 */
export function judgeCertificate(
  policy: ClientCertificatePolicy,
  connection: ConnectionFacts,
): CertificateVerdict {
  if (connection.tls === undefined) return deny(403, 'a client certificate is asked for, over plain HTTP');
  const { client } = connection.tls;
  if (client === undefined || client.policy !== policy.id)
    return deny(421, 'the connection was made under another policy for client certificates');
  const { verified } = client;
  if (verified === 'NONE') {
    if (policy.mode === 'on') return deny(400, 'no client certificate');
  } else if (verified !== 'SUCCESS') {
    const why = verified.startsWith('FAILED:') ? verified.slice(7).trim() : verified;
    if (policy.mode !== 'optional_no_ca' || !unknownAuthority.has(why))
      return deny(400, `the client certificate failed: ${why}`);
  }
  const name = policy.commonName === undefined ? '' : commonNameOf(client.subject);
  if (name === undefined || (policy.commonName !== undefined && !patternMatches(policy.commonName, name)))
    return deny(403, 'the common name of the client certificate is another one');
  return { kind: 'pass', edits: certificateEdits(client, policy.passToUpstream) };
}

function deny(status: 400 | 403 | 421, reason: string): CertificateVerdict {
  return { kind: 'deny', status, reason };
}

/** One part of a name: up to a comma, plus sign or end of line that no backslash stands before. */
const namePart = /(?:\\[^]|[^,+\n\\])+/g;

/** The first common name in a subject, written by RFC 2253 or a line each, as OpenSSL and Node do; a byte a character. */
export function commonNameOf(subject: string): string | undefined {
  const part = subject.match(namePart)?.find(one => /^ *CN=/.test(one));
  return part
    ?.slice(part.indexOf('=') + 1)
    .replaceAll(/\\(?:([0-9A-Fa-f]{2})|([^]))/g, (_, byte: string | undefined, char: string) =>
      byte === undefined ? char : String.fromCharCode(Number.parseInt(byte, 16)),
    );
}

/** Made once for a connection: the certificate does not change on it. */
const madeEdits = new WeakMap<ClientCertificate, { with?: HeaderEdits; without?: HeaderEdits }>();

function certificateEdits(client: ClientCertificate, whole: boolean): HeaderEdits {
  const made = madeEdits.get(client) ?? {};
  madeEdits.set(client, made);
  const known = whole ? made.with : made.without;
  if (known !== undefined) return known;
  const set: [string, string][] = [['ssl-client-verify', fieldText(client.verified)]];
  if (client.verified !== 'NONE') {
    set.push(['ssl-client-subject-dn', fieldText(client.subject)]);
    set.push(['ssl-client-issuer-dn', fieldText(client.issuer)]);
    if (whole) set.push(['ssl-client-cert', encodeURIComponent(client.pem)]);
  }
  const edits = { set, add: [], remove: [] };
  made[whole ? 'with' : 'without'] = edits;
  return edits;
}

/** Whatever a certificate's names hold, it stays in one field. */
function fieldText(text: string): string {
  return text.replaceAll('\n', ',').replaceAll(/[^\x20-\x7e]/gu, char => encodeURIComponent(char));
}
