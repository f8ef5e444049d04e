import { type CertificateInfo, isSignedBy, parseCertificates } from './certificate.ts';
import { PkiError } from './errors.ts';

/** A chain in the order in which a TLS server sends it (RFC 8446 section 4.4.2). */
export interface CertificateChain {
  /** PEM: the leaf, then each issuer; without the root, unless it is the leaf itself. */
  readonly chain: string;
  /** PEM: the root, or where there is none, the topmost certificate. */
  readonly ca: string;
  readonly leaf: CertificateInfo;
}

/** More than any real chain; bounds the work that a hostile input can ask for. */
const mostCertificates = 64;

/** Whether `issuer` issued `certificate`: its name, its key identifier where both have one, and its signature. */
export function isIssuedBy(certificate: CertificateInfo, issuer: CertificateInfo): boolean {
  if (!certificate.issuer.der.equals(issuer.subject.der)) return false;
  const { authorityKeyId } = certificate;
  if (authorityKeyId && issuer.subjectKeyId && !authorityKeyId.equals(issuer.subjectKeyId)) return false;
  return isSignedBy(certificate, issuer);
}

/**
 * Puts certificates, in any order and with repeats, into one chain. `pems` is one PEM text or several. A
 * second certificate for the same authority (a cross-sign) that the chain does not need is left out. Throws
 * PKI_CERTIFICATE_INVALID or PKI_CHAIN_INVALID.
 */
export function parseChain(pems: string | readonly string[]): CertificateChain {
  const text = typeof pems === 'string' ? pems : pems.join('\n');
  const all = [...new Map(parseCertificates(text).map(each => [each.fingerprint256, each])).values()];
  if (all.length > mostCertificates) {
    throw new PkiError(
      'PKI_CHAIN_INVALID',
      `${all.length} certificates are more than a chain has; ${mostCertificates} at most`,
    );
  }
  const leaf = leafOf(all);
  const path = pathFrom(leaf, all);
  const strangers = all.filter(each => !path.some(member => each === member || standsFor(each, member)));
  const [stranger] = strangers;
  if (stranger !== undefined) {
    throw new PkiError(
      'PKI_CHAIN_INVALID',
      `the certificates do not form one chain: ${described(stranger)} is not part of the chain of ${described(leaf)}`,
    );
  }
  const top = path.at(-1) ?? leaf;
  const sent = path.length > 1 && top.selfSigned ? path.slice(0, -1) : path;
  return { chain: sent.map(({ pem }) => pem).join(''), ca: top.pem, leaf };
}

const described = ({ subject, serialNumber }: CertificateInfo): string =>
  `"${subject.text === '' ? `serial ${serialNumber}` : subject.text}"`;

/** The one certificate that issued no other. */
function leafOf(all: readonly CertificateInfo[]): CertificateInfo {
  const leaves = all.filter(each => !all.some(other => other !== each && isIssuedBy(other, each)));
  const [leaf, second] = leaves;
  if (leaf === undefined || second !== undefined) {
    const which =
      leaf === undefined || second === undefined
        ? 'they issue each other'
        : `both ${described(leaf)} and ${described(second)} are leaves`;
    throw new PkiError('PKI_CHAIN_INVALID', `the certificates do not form one chain: ${which}`);
  }
  return leaf;
}

/** From the leaf up. Where an authority has a self-signed certificate and a cross-signed one, the cross-signed one leads on. */
function pathFrom(leaf: CertificateInfo, all: readonly CertificateInfo[]): CertificateInfo[] {
  const path = [leaf];
  for (let at = leaf; !at.selfSigned; ) {
    const issuers = all.filter(each => !path.includes(each) && isIssuedBy(at, each));
    const next = issuers.find(each => !each.selfSigned) ?? issuers[0];
    if (next === undefined) break;
    path.push(next);
    at = next;
  }
  return path;
}

/** Whether both are certificates of one authority: same name, same key. */
function standsFor(a: CertificateInfo, b: CertificateInfo): boolean {
  return a.subject.der.equals(b.subject.der) && a.publicKey.equals(b.publicKey);
}

/**
 * Whether the first certificate of `chainPem` leads, through the others in it, to a certificate in `caPem`
 * (or is one). Signatures and names alone: dates, usages and hosts are the caller's. Throws PKI_CERTIFICATE_INVALID.
 */
export function verifiesAgainst(chainPem: string, caPem: string): boolean {
  const [leaf, ...intermediates] = parseCertificates(chainPem).slice(0, mostCertificates);
  const roots = parseCertificates(caPem);
  const trusted = new Set(roots.map(({ fingerprint256 }) => fingerprint256));
  const seen = new Set<CertificateInfo>();
  for (let at = leaf; at !== undefined && !seen.has(at); ) {
    const certificate: CertificateInfo = at;
    if (trusted.has(certificate.fingerprint256) || roots.some(root => isIssuedBy(certificate, root)))
      return true;
    seen.add(certificate);
    at = intermediates.find(each => !seen.has(each) && isIssuedBy(certificate, each));
  }
  return false;
}
