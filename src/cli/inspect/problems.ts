import { certificateNameAnnotation } from '../../api/annotations.ts';
import { hasCondition } from '../../api/condition.ts';
import { tlsCaKey, tlsCertificateKey, tlsPrivateKeyKey, tlsSecretType } from '../../api/kubernetes/secret.ts';
import { conditionTypes } from '../../api/reasons.ts';
import type { CertificateInfo } from '../../pki/certificate.ts';
import { isIssuedBy } from '../../pki/chain.ts';
import { certificateCovers } from '../../pki/host-match.ts';
import { moment, quoted } from '../status/sentence.ts';
import { hostsServedWith, type InspectedSecret } from './inspected-secret.ts';

/** What is wrong with a Secret. With an error, clients refuse what is served with it, or nothing can be. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** A sentence that names what is wrong and what to do. */
  readonly message: string;
}

/** Looks for one kind of problem. Pure. */
type Check = (inspected: InspectedSecret, nowMs: number) => readonly string[];

const dayMs = 86_400_000;
const weakRsaBits = 2048;
/** Those of the keyUsage extension; the others are of extKeyUsage, which says what for (RFC 5280 section 4.2.1.12). */
const basicUsages: ReadonlySet<string> = new Set([
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
]);

/** Who puts a Secret right. */
function remedy({ certificate }: InspectedSecret): string {
  return certificate === undefined
    ? 'put a good one into the Secret'
    : `renew Certificate ${quoted(certificate.metadata.name)}, by postern renew`;
}

const nameOf = ({ subject, serialNumber }: CertificateInfo): string =>
  quoted(subject.text === '' ? `serial ${serialNumber}` : subject.text);

const certificatesOf = ({ chain }: InspectedSecret): readonly CertificateInfo[] =>
  chain.state === 'read' ? chain.value : [];
const leafOf = ({ chain }: InspectedSecret): CertificateInfo | undefined =>
  chain.state === 'read' ? chain.value[0] : undefined;

const errors: readonly Check[] = [
  function certificateIsUnusable({ chain }) {
    if (chain.state === 'missing')
      return [`There is no ${tlsCertificateKey}: nothing can be served with this.`];
    return chain.state === 'unreadable' ? [`${tlsCertificateKey} cannot be read: ${chain.problem}.`] : [];
  },
  function keyIsUnusable(inspected) {
    const { key, chain } = inspected;
    if (key.state === 'missing')
      return [`There is no ${tlsPrivateKeyKey}: the certificate cannot be served without its private key.`];
    if (key.state === 'unreadable') return [`${tlsPrivateKeyKey} cannot be read: ${key.problem}.`];
    if (chain.state !== 'read' || key.value.fits) return [];
    return [
      `${tlsPrivateKeyKey} is not the private key of the certificate: every handshake fails; ${remedy(inspected)}.`,
    ];
  },
  function isOutOfTime(inspected, nowMs) {
    return certificatesOf(inspected).flatMap((certificate, index) => {
      const what =
        index === 0 ? 'The certificate' : `Certificate ${index + 1} of the chain, ${nameOf(certificate)},`;
      if (nowMs > certificate.notAfterMs)
        return [`${what} expired at ${moment(certificate.notAfterMs)}; ${remedy(inspected)}.`];
      if (nowMs >= certificate.notBeforeMs) return [];
      return [
        `${what} is valid from ${moment(certificate.notBeforeMs)} on; see that the clocks are right here and where it was issued.`,
      ];
    });
  },
  function chainIsBroken(inspected) {
    return certificatesOf(inspected).flatMap((certificate, index, all) => {
      const before = all[index - 1];
      if (before === undefined || isIssuedBy(before, certificate)) return [];
      return [
        `The chain is broken: certificate ${index + 1}, ${nameOf(certificate)}, did not issue the one before it, ${nameOf(before)}; put each certificate before its issuer, and leave out what does not belong to them.`,
      ];
    });
  },
  function hostsAreNotCovered(inspected) {
    const leaf = leafOf(inspected);
    if (leaf === undefined) return [];
    return hostsServedWith(inspected)
      .filter(({ host }) => !certificateCovers(leaf, host))
      .map(
        ({ host, ingress }) =>
          `Ingress ${quoted(ingress)} serves ${host} with this Secret, and the certificate is not for that name: browsers refuse it.`,
      );
  },
];

const warnings: readonly Check[] = [
  function isTemporary(inspected) {
    const { certificate } = inspected;
    if (certificate === undefined || leafOf(inspected)?.selfSigned !== true) return [];
    if (hasCondition(certificate.status?.conditions, conditionTypes.ready)) return [];
    return [
      `The certificate is self-signed and stands in until the one is there that Certificate ${quoted(certificate.metadata.name)} asks for; see postern status certificate.`,
    ];
  },
  function endsSoon(inspected, nowMs) {
    const leaf = leafOf(inspected);
    if (leaf === undefined || nowMs > leaf.notAfterMs || nowMs < leaf.notBeforeMs) return [];
    const renewal = Date.parse(inspected.certificate?.status?.renewalTime ?? '');
    const end = moment(leaf.notAfterMs);
    if (nowMs >= renewal)
      return [
        `The certificate was due for renewal at ${moment(renewal)}, and it expires at ${end}; see that Postern runs, with the controllers.`,
      ];
    const isSoon = leaf.notAfterMs - nowMs < Math.min(7 * dayMs, (leaf.notAfterMs - leaf.notBeforeMs) / 10);
    return isSoon && inspected.certificate === undefined
      ? [`The certificate expires at ${end}, and no Certificate here renews it.`]
      : [];
  },
  function hasNoNames(inspected) {
    const leaf = leafOf(inspected);
    if (leaf === undefined || leaf.isCA) return [];
    const { dnsNames, ipAddresses, uris, emailAddresses } = leaf;
    if (dnsNames.length + ipAddresses.length + uris.length + emailAddresses.length > 0) return [];
    return [
      'The certificate has no subject alternative names: clients do not look at the common name any more (RFC 9525).',
    ];
  },
  function isNotForServers(inspected) {
    const leaf = leafOf(inspected);
    if (leaf === undefined || inspected.ingresses.length === 0) return [];
    const { usages } = leaf;
    const extended = usages.filter(usage => !basicUsages.has(usage));
    if (extended.length === 0 || extended.includes('server auth') || extended.includes('any')) return [];
    return [
      `An Ingress serves with this Secret, and the certificate is for ${extended.join(', ')} only; add "server auth" to spec.usages of its Certificate.`,
    ];
  },
  function keyIsWeak(inspected) {
    return certificatesOf(inspected).flatMap(certificate => {
      const { algorithm, size = Number.POSITIVE_INFINITY } = certificate.keyKind;
      if (algorithm !== 'RSA' || size >= weakRsaBits) return [];
      return [
        `The RSA key of ${nameOf(certificate)} has ${size} bits only: clients refuse less than ${weakRsaBits}.`,
      ];
    });
  },
  function rootIsSent(inspected) {
    const [, ...issuers] = certificatesOf(inspected);
    return issuers
      .filter(({ selfSigned }) => selfSigned)
      .map(
        root =>
          `The chain holds the root ${nameOf(root)}: clients have it or do not trust it, so leave it out.`,
      );
  },
  function caDoesNotFit({ chain, ca }) {
    if (ca.state === 'unreadable') return [`${tlsCaKey} cannot be read: ${ca.problem}.`];
    if (ca.state === 'missing' || chain.state !== 'read' || ca.value.verifies) return [];
    return [`The chain does not lead to ${tlsCaKey}: who verifies with that refuses the certificate.`];
  },
  function nobodyVerifies({ chain, ca, publicRoot }) {
    if (chain.state !== 'read' || ca.state !== 'missing' || publicRoot !== undefined) return [];
    const top = chain.value.at(-1) ?? chain.value[0];
    if (top.selfSigned) return [];
    return [
      `The chain ends below ${quoted(top.issuer.text)}, which is no public authority, and there is no ${tlsCaKey}: a certificate between them is missing, or only clients that know that authority take it.`,
    ];
  },
  function typeIsForeign({ secret, ingresses }) {
    if (secret.type === tlsSecretType || ingresses.length === 0) return [];
    return [
      `An Ingress serves with this Secret, and its type is ${quoted(secret.type ?? 'Opaque')}, not ${tlsSecretType}: other Ingress controllers may not take it.`,
    ];
  },
  function belongsToNobody({ secret, certificate }) {
    const named = secret.metadata.annotations?.[certificateNameAnnotation];
    if (named === undefined || certificate?.metadata.name === named) return [];
    return [
      certificate === undefined
        ? `It was issued for Certificate ${quoted(named)}, which is not there or may not be read: nobody renews it.`
        : `It was issued for Certificate ${quoted(named)}, and Certificate ${quoted(certificate.metadata.name)} names it now.`,
    ];
  },
];

/** All that is wrong with a Secret at `nowMs`: errors first. Pure. */
export function problemsOf(inspected: InspectedSecret, nowMs: number): readonly Problem[] {
  const all = (checks: readonly Check[], severity: Problem['severity']): Problem[] =>
    checks.flatMap(check => check(inspected, nowMs)).map(message => ({ severity, message }));
  return [...all(errors, 'error'), ...all(warnings, 'warning')];
}
