import type { KeyObject } from 'node:crypto';
import { certificateNameAnnotation } from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { type Secret, tlsCaKey, tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { messageOf } from '../../core/errors.ts';
import { type CertificateInfo, parseCertificates } from '../../pki/certificate.ts';
import { isIssuedBy, verifiesAgainst } from '../../pki/chain.ts';
import { type KeyKind, keyKindOf, parsePrivateKey, samePublicKey } from '../../pki/private-key.ts';

/** What one value of a Secret was found to hold. `problem` completes the sentence "tls.crt ...". */
export type Found<T> =
  | { readonly state: 'missing' }
  | { readonly state: 'unreadable'; readonly problem: string }
  | { readonly state: 'read'; readonly value: T };

/** A Secret with what is in it, read, and what has to do with it. Nothing of the private key is in here. */
export interface InspectedSecret {
  readonly secret: Secret;
  /** The certificates of `tls.crt`, in their order: one at least. */
  readonly chain: Found<readonly [CertificateInfo, ...CertificateInfo[]]>;
  /** `ca.crt`, and whether the chain leads to it. */
  readonly ca: Found<{ readonly verifies: boolean }>;
  readonly key: Found<{ readonly kind: KeyKind; readonly fits: boolean }>;
  /** The Certificate that keeps it. */
  readonly certificate: Certificate | undefined;
  /** The Ingresses that serve with it. */
  readonly ingresses: readonly Ingress[];
  /** The public authority that the chain leads to. */
  readonly publicRoot: CertificateInfo | undefined;
}

/** What is read from the API beside the Secret; empty where it may not be read. */
export interface Surroundings {
  readonly certificates: readonly Certificate[];
  readonly ingresses: readonly Ingress[];
  /** Certificates of the authorities that the public trusts, in PEM. */
  readonly publicRoots: readonly string[];
}

function found<T>(secret: Secret, key: string, read: (text: string) => T): Found<T> {
  const text = Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  if (text.trim() === '') return { state: 'missing' };
  try {
    return { state: 'read', value: read(text) };
  } catch (thrown) {
    return { state: 'unreadable', problem: messageOf(thrown) };
  }
}

function chainIn(text: string): readonly [CertificateInfo, ...CertificateInfo[]] {
  const [leaf, ...issuers] = parseCertificates(text);
  if (leaf === undefined) throw new Error('there is no certificate in PEM form');
  // Keys are read when they are first asked for; one that cannot be is found here.
  for (const { publicKey } of [leaf, ...issuers]) void publicKey;
  return [leaf, ...issuers];
}

function keyFacts(key: KeyObject, chain: InspectedSecret['chain']): { kind: KeyKind; fits: boolean } {
  const fits = chain.state === 'read' && samePublicKey(key, chain.value[0].publicKey);
  return { kind: keyKindOf(key), fits };
}

/** The root of `roots` that a chain leads to. Roots that cannot be read verify nothing. */
function publicRootOf(
  [leaf, ...issuers]: readonly [CertificateInfo, ...CertificateInfo[]],
  roots: readonly string[],
): CertificateInfo | undefined {
  const readable = roots.flatMap(root => {
    try {
      return parseCertificates(root);
    } catch {
      return [];
    }
  });
  const seen = new Set<CertificateInfo>();
  for (let at: CertificateInfo | undefined = leaf; at !== undefined && !seen.has(at); ) {
    const certificate: CertificateInfo = at;
    seen.add(certificate);
    const root = readable.find(
      one => one.fingerprint256 === certificate.fingerprint256 || isIssuedBy(certificate, one),
    );
    if (root !== undefined) return root;
    at = issuers.find(one => !seen.has(one) && isIssuedBy(certificate, one));
  }
  return undefined;
}

/** Reads a Secret. Pure; never throws for what is in it. */
export function inspectedSecret(secret: Secret, surroundings: Surroundings): InspectedSecret {
  const { name } = secret.metadata;
  const chain = found(secret, tlsCertificateKey, chainIn);
  const naming = surroundings.certificates.filter(({ spec }) => spec.secretName === name);
  const owner = secret.metadata.annotations?.[certificateNameAnnotation];
  return {
    secret,
    chain,
    ca: found(secret, tlsCaKey, ca => {
      parseCertificates(ca);
      return {
        verifies: chain.state === 'read' && verifiesAgainst(chain.value.map(({ pem }) => pem).join(''), ca),
      };
    }),
    key: found(secret, tlsPrivateKeyKey, text => keyFacts(parsePrivateKey(text), chain)),
    certificate: naming.find(({ metadata }) => metadata.name === owner) ?? naming[0],
    ingresses: surroundings.ingresses.filter(({ spec }) => spec?.tls?.some(tls => tls.secretName === name)),
    publicRoot: chain.state === 'read' ? publicRootOf(chain.value, surroundings.publicRoots) : undefined,
  };
}

/** The hosts that are served with a Secret: those of the TLS entries that name it. */
export function hostsServedWith({
  secret,
  ingresses,
}: Pick<InspectedSecret, 'secret' | 'ingresses'>): readonly {
  readonly host: string;
  readonly ingress: string;
}[] {
  return ingresses.flatMap(({ metadata, spec }) =>
    (spec?.tls ?? [])
      .filter(({ secretName }) => secretName === secret.metadata.name)
      .flatMap(({ hosts = [] }) => hosts.map(host => ({ host, ingress: metadata.name ?? '' }))),
  );
}
