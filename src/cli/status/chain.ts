import type { Challenge } from '../../api/acme/challenge.ts';
import type { Order } from '../../api/acme/order.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import type { FullIssuerRef } from '../../api/cert-manager/issuer-ref.ts';
import type { Ingress, IngressTls } from '../../api/kubernetes/ingress.ts';
import { certificateCovers } from '../../pki/host-match.ts';
import type { SecretFacts } from './secret-facts.ts';

/**
 * One entry of `spec.tls` of an Ingress, or a Certificate that no Ingress uses, with all that was made for
 * it: the chain Ingress, Certificate, CertificateRequest, Order, Challenges, Secret. What is absent is not there.
 */
export interface Chain {
  readonly namespace: string;
  readonly ingress?: Ingress | undefined;
  /** Absent where the Ingress has no `spec.tls`, or there is no Ingress. */
  readonly tls?: (IngressTls & { readonly index: number }) | undefined;
  /** What Postern last found wrong with the Ingress, from its event. */
  readonly badConfig?: string | undefined;
  /** What the API server last refused for the Ingress, from the event that came later than any `badConfig`. */
  readonly refusedWrite?: string | undefined;
  readonly certificate?: Certificate | undefined;
  readonly issuer?: { readonly ref: FullIssuerRef; readonly found: Issuer | undefined } | undefined;
  /** The one of the latest revision. */
  readonly request?: CertificateRequest | undefined;
  readonly order?: Order | undefined;
  readonly challenges: readonly Challenge[];
  /** Absent where no Secret is named. */
  readonly secret?: SecretFacts | undefined;
}

/** One thing that may be wrong with a chain; gives the sentence, or undefined where it is not. Pure. */
export type Check = (chain: Chain, nowMs: number) => string | undefined;

/** The hosts of the TLS entry that the certificate in its Secret is not for. */
export function uncoveredHosts({ tls, secret }: Chain): readonly string[] {
  if (secret?.state !== 'usable') return [];
  return (tls?.hosts ?? []).filter(host => !certificateCovers(secret, host));
}

/** The names that a chain is about: those of the TLS entry, else those of the Certificate. */
export function hostsOf({ tls, certificate, ingress }: Chain): readonly string[] {
  if (tls?.hosts !== undefined && tls.hosts.length > 0) return tls.hosts;
  if (certificate !== undefined) {
    const { dnsNames = [], ipAddresses = [], commonName } = certificate.spec;
    const names = [...dnsNames, ...ipAddresses];
    return names.length > 0 || commonName === undefined ? names : [commonName];
  }
  return (ingress?.spec?.rules ?? []).flatMap(({ host }) =>
    host === undefined || host === '' ? [] : [host],
  );
}
