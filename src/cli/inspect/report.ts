import { issuerRefOf } from '../../api/cert-manager/issuer-ref.ts';
import { hasCondition } from '../../api/condition.ts';
import { type KubeObject, keyOf } from '../../api/meta.ts';
import { conditionTypes } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import type { CertificateInfo } from '../../pki/certificate.ts';
import { certificateCovers } from '../../pki/host-match.ts';
import type { KeyKind } from '../../pki/private-key.ts';
import { hostsServedWith, type InspectedSecret } from './inspected-secret.ts';
import { type Problem, problemsOf } from './problems.ts';

/** One certificate of a chain. */
export interface CertificateReport {
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly validity: 'valid' | 'expired' | 'not-yet-valid';
  readonly isCA: boolean;
  readonly selfSigned: boolean;
  readonly key: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
}

/** A Secret as it is reported; this is what `-o json` prints, and the text is made from. */
export interface SecretReport {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  /** The names of its values. */
  readonly data: readonly string[];
  readonly privateKey: {
    readonly state: 'missing' | 'unreadable' | 'fits' | 'does-not-fit' | 'readable';
    readonly kind: string | null;
  };
  /** What the certificate is for; null where there is none to read. */
  readonly names: {
    readonly dnsNames: readonly string[];
    readonly ipAddresses: readonly string[];
    readonly uris: readonly string[];
    readonly emailAddresses: readonly string[];
    readonly otherNames: readonly string[];
  } | null;
  readonly usages: readonly string[];
  /** As it stands in `tls.crt`, the leaf first. */
  readonly chain: readonly CertificateReport[];
  /** What verifies the chain. `caCrt`: whether a certificate of `ca.crt` does; null where there is none. */
  readonly trust: { readonly caCrt: boolean | null; readonly publicRoot: string | null };
  readonly certificate: {
    readonly name: string;
    readonly ready: boolean;
    readonly issuer: string;
    readonly revision: number | null;
    readonly renewalTime: string | null;
    readonly annotations: Readonly<Record<string, string>>;
  } | null;
  readonly hosts: readonly { readonly host: string; readonly ingress: string; readonly covered: boolean }[];
  /** Those of cert-manager and of Postern. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** A kind of key in words: `ECDSA 256`. */
function keyText({ algorithm, size }: KeyKind): string {
  return size === undefined ? algorithm : `${algorithm} ${size}`;
}

function certificateReport(certificate: CertificateInfo, nowMs: number): CertificateReport {
  const { subject, issuer, serialNumber, notBeforeMs, notAfterMs, isCA, selfSigned } = certificate;
  return {
    subject: subject.text,
    issuer: issuer.text,
    serialNumber,
    notBefore: rfc3339(notBeforeMs),
    notAfter: rfc3339(notAfterMs),
    validity: nowMs > notAfterMs ? 'expired' : nowMs < notBeforeMs ? 'not-yet-valid' : 'valid',
    isCA,
    selfSigned,
    key: keyText(certificate.keyKind),
    fingerprint: certificate.fingerprint256,
  };
}

function privateKeyReport({ key, chain }: InspectedSecret): SecretReport['privateKey'] {
  if (key.state !== 'read') return { state: key.state, kind: null };
  const fits = key.value.fits ? 'fits' : 'does-not-fit';
  return { state: chain.state === 'read' ? fits : 'readable', kind: keyText(key.value.kind) };
}

const ours = /(^|\.)(cert-manager\.io|postern\.dev)\//;

function annotationsOf({ metadata }: KubeObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata.annotations ?? {})
      .filter(([key]) => ours.test(key))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function keeperReport({ certificate }: InspectedSecret): SecretReport['certificate'] {
  if (certificate === undefined) return null;
  const { spec, status, metadata } = certificate;
  const { kind, name } = issuerRefOf(spec.issuerRef);
  return {
    name: metadata.name ?? '',
    ready: hasCondition(status?.conditions, conditionTypes.ready),
    issuer: `${kind}/${name}`,
    revision: status?.revision ?? null,
    renewalTime: status?.renewalTime ?? null,
    annotations: annotationsOf(certificate),
  };
}

/** The report on a Secret, as it is at `nowMs`. Pure. */
export function secretReport(inspected: InspectedSecret, nowMs: number): SecretReport {
  const { secret, chain, ca, publicRoot } = inspected;
  const certificates = chain.state === 'read' ? chain.value : [];
  const [leaf] = certificates;
  return {
    ...keyOf(secret),
    type: secret.type ?? 'Opaque',
    data: Object.keys(secret.data ?? {}).toSorted(),
    privateKey: privateKeyReport(inspected),
    names:
      leaf === undefined
        ? null
        : {
            dnsNames: leaf.dnsNames,
            ipAddresses: leaf.ipAddresses,
            uris: leaf.uris,
            emailAddresses: leaf.emailAddresses,
            otherNames: leaf.otherNames.map(({ oid, utf8Value }) => `${oid}=${utf8Value}`),
          },
    usages: leaf?.usages ?? [],
    chain: certificates.map(certificate => certificateReport(certificate, nowMs)),
    trust: {
      caCrt: ca.state === 'read' && leaf !== undefined ? ca.value.verifies : null,
      publicRoot: publicRoot?.subject.text ?? null,
    },
    certificate: keeperReport(inspected),
    hosts: hostsServedWith(inspected).map(one => ({
      ...one,
      covered: leaf !== undefined && certificateCovers(leaf, one.host),
    })),
    annotations: annotationsOf(secret),
    problems: problemsOf(inspected, nowMs),
  };
}
