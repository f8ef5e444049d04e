import { createHash, X509Certificate } from 'node:crypto';
import type { Secret } from '../../api/kubernetes/secret.ts';
import { tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { messageOf } from '../../core/errors.ts';
import { remembering } from '../../core/remembering.ts';
import { type KeyedCertificate, pairVerdict } from '../../pki/key-pair.ts';
import { type PemBlock, parsePem } from '../../pki/pem.ts';
import { plainCertificate } from '../../pki/plain-certificate.ts';
import { PrivateMaterial } from './private-material.ts';
import { secretBase64, secretText } from './secret-text.ts';
import type { ServerCertificate } from './table.ts';

/** A Secret's certificate and the names it is for, or a sentence that says why it cannot be served. */
export type ServerCertificateResult =
  | { readonly certificate: ServerCertificate; readonly names: readonly string[] }
  | { readonly error: string };

// Parsing costs more than all the rest of a compilation; the objects of a cache are frozen, so it is done once each.
const results = new WeakMap<Secret, ServerCertificateResult>();

/** Whether this Secret was read already, so that reading it costs nothing. */
export function isCertificateRead(secret: Secret): boolean {
  return results.has(secret);
}

/** Reads `tls.crt` and `tls.key` of a Secret, of whatever type. */
export function serverCertificateOf(secret: Secret): ServerCertificateResult {
  const known = results.get(secret);
  if (known !== undefined) return known;
  const result = readServerCertificate(secret);
  results.set(secret, result);
  return result;
}

/** Holds its Secret's own texts and decodes them when they are asked for: ten thousand are not to be there twice. */
export class StoredCertificate implements ServerCertificate {
  readonly id: string;
  readonly secret: string;
  readonly key: PrivateMaterial;
  readonly notAfterMs: number;
  readonly #chain: string;

  constructor(secret: Secret, id: string, notAfterMs: number) {
    const { namespace = '', name = '' } = secret.metadata;
    this.id = id;
    this.secret = `${namespace}/${name}`;
    this.#chain = secretBase64(secret, tlsCertificateKey);
    this.key = new PrivateMaterial(secretBase64(secret, tlsPrivateKeyKey), 'base64');
    this.notAfterMs = notAfterMs;
  }

  get chain(): string {
    return Buffer.from(this.#chain, 'base64').toString();
  }
}

function readServerCertificate(secret: Secret): ServerCertificateResult {
  const chain = secretText(secret, tlsCertificateKey);
  const keyPem = secretText(secret, tlsPrivateKeyKey);
  if (chain === undefined) return { error: `its ${tlsCertificateKey} is missing or empty` };
  if (keyPem === undefined) return { error: `its ${tlsPrivateKeyKey} is missing or empty` };
  try {
    const [leaf, ...further] = blocksIn(chain);
    if (leaf === undefined) return { error: `its ${tlsCertificateKey} holds no certificate in PEM form` };
    for (const { der } of further) readOnce(der.toString('base64'));
    const facts = leafFacts(leaf.der);
    const fit = pairVerdict(keyPem, () => facts);
    if (fit.verdict !== 'fits') {
      if (fit.verdict !== 'mismatch') return { error: fit.reason };
      return {
        error: `its ${tlsPrivateKeyKey} is not the key of the first certificate in its ${tlsCertificateKey}`,
      };
    }
    const id = createHash('sha256').update(chain).update('\0').update(keyPem).digest('hex');
    const certificate = new StoredCertificate(secret, id, facts.notAfterMs);
    return { certificate, names: [...facts.names] };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** The certificates of a PEM text. Throws where a block is damaged. */
export function certificatesIn(pem: string): X509Certificate[] {
  return blocksIn(pem).map(({ der }) => new X509Certificate(der));
}

const blocksIn = (pem: string): PemBlock[] => parsePem(pem).filter(({ label }) => label === 'CERTIFICATE');

/** Those of authorities stand behind thousands. Throws where one is damaged. */
const readOnce = remembering(64, base64 => new X509Certificate(Buffer.from(base64, 'base64')));

interface LeafFacts extends KeyedCertificate {
  readonly notAfterMs: number;
  readonly names: ReadonlySet<string>;
}

/** What the edge needs to know of a certificate to serve it. Throws where it is damaged. */
function leafFacts(der: Buffer): LeafFacts {
  const plain = plainCertificate(der);
  const x509 = plain === undefined ? new X509Certificate(der) : undefined;
  return {
    der: x509?.raw ?? der,
    get publicKey() {
      return (x509 ?? new X509Certificate(der)).publicKey;
    },
    notAfterMs: plain?.notAfterMs ?? Date.parse(x509?.validTo ?? ''),
    names: x509 === undefined ? new Set(plain?.dnsNames.map(name => name.toLowerCase())) : namesOf(x509),
  };
}

/** The DNS names a certificate is for; where it names none, its common name (RFC 6125 section 6.4.4). */
function namesOf(leaf: X509Certificate): Set<string> {
  const names = new Set<string>();
  for (const entry of leaf.subjectAltName?.split(', ') ?? []) {
    if (entry.startsWith('DNS:')) names.add(entry.slice(4).toLowerCase());
  }
  const commonName = /^CN=(.+)$/m.exec(leaf.subject)?.[1];
  if (names.size === 0 && commonName !== undefined) names.add(commonName.toLowerCase());
  return names;
}
