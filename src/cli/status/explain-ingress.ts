import { clusterIssuerAnnotation, issuerAnnotation, tlsAcmeAnnotation } from '../../api/annotations.ts';
import type { Chain, Check } from './chain.ts';
import { clause, quoted } from './sentence.ts';

const trueSpellings: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

function namesIssuer({ ingress }: Chain): boolean {
  const annotations = ingress?.metadata.annotations ?? {};
  return [issuerAnnotation, clusterIssuerAnnotation].some(name => (annotations[name] ?? '') !== '');
}

function asksForDefault({ ingress }: Chain): boolean {
  return trueSpellings.has(ingress?.metadata.annotations?.[tlsAcmeAnnotation] ?? '');
}

const asks = (chain: Chain): boolean => namesIssuer(chain) || asksForDefault(chain);

const name = ({ ingress }: Chain): string => `Ingress ${quoted(ingress?.metadata.name)}`;

/** Why there is no Certificate for an Ingress that should have one. */
export const ingressChecks: readonly Check[] = [
  function asksWithoutTls(chain) {
    if (chain.ingress === undefined || chain.tls !== undefined || !asks(chain)) return undefined;
    return `${name(chain)} asks for a certificate and has no spec.tls; add an entry with its hosts and a secretName.`;
  },
  function entryIsIncomplete(chain) {
    const { tls } = chain;
    if (tls === undefined || !asks(chain)) return undefined;
    const missing =
      (tls.secretName ?? '') === '' ? 'secretName' : (tls.hosts ?? []).length === 0 ? 'hosts' : undefined;
    if (missing === undefined) return undefined;
    return `spec.tls[${tls.index}] of ${name(chain)} has no ${missing}; add it, no certificate can be made without.`;
  },
  function noIssuerIsNamed(chain) {
    if (chain.certificate !== undefined || chain.ingress === undefined) return undefined;
    if (namesIssuer(chain) || !asksForDefault(chain)) return undefined;
    return `${name(chain)} asks for a certificate by ${tlsAcmeAnnotation} and there is no default issuer; start Postern with --default-issuer-name, or name one on the Ingress by ${clusterIssuerAnnotation}.`;
  },
  function annotationsAreBad(chain) {
    if (chain.certificate !== undefined || chain.badConfig === undefined) return undefined;
    return `${name(chain)} is not understood: ${clause(chain.badConfig)}.`;
  },
  function certificateIsRefused(chain) {
    if (chain.certificate !== undefined || chain.refusedWrite === undefined) return undefined;
    return `The Certificate for ${name(chain)} cannot be made. ${clause(chain.refusedWrite)}.`;
  },
  function certificateIsNotMade(chain) {
    if (chain.certificate !== undefined || chain.tls === undefined || !asks(chain)) return undefined;
    return `There is no Certificate for Secret ${quoted(chain.tls.secretName)} of ${name(chain)} yet; see that Postern runs, with the controllers and for namespace ${quoted(chain.namespace)}.`;
  },
];
