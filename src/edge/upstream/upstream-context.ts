import {
  checkServerIdentity,
  createSecureContext,
  type DetailedPeerCertificate,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import { aeadCiphers } from '../../core/aead-ciphers.ts';
import type { HandshakeOptions, UpstreamTls } from '../compile/table.ts';

/** Hundreds of authorities take some ten milliseconds to load, so they are loaded when first needed, and once. */
let systemAuthorities: string[] | undefined;
/** Those with nothing but the system's authorities, by what is offered in the handshake. */
const systemContexts = new Map<string, SecureContext>();

/** The authorities of the system's store and those that came with Node. */
function authorities(): string[] {
  systemAuthorities ??= [...new Set([...getCACertificates('system'), ...getCACertificates('bundled')])];
  return systemAuthorities;
}

/**
 * The TLS context for an upstream: authorities, revocations, client certificate, and what is offered: TLS 1.2 and 1.3 with
 * AEAD suites unless someone chose. Throws where any of it does not load; nothing is left out in silence.
 */
export function upstreamContext({ ca, client, crl, handshake }: UpstreamTls): SecureContext {
  const offered = offer(handshake);
  if (ca !== undefined || client !== undefined || crl !== undefined)
    return createSecureContext({
      ...offered,
      ca: ca ?? authorities(),
      ...(crl === undefined ? {} : { crl }),
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key.reveal() }),
    });
  const key = JSON.stringify(offered);
  const known = systemContexts.get(key);
  if (known !== undefined) return known;
  const made = createSecureContext({ ...offered, ca: authorities() });
  systemContexts.set(key, made);
  return made;
}

const tls13Suites = aeadCiphers.filter(name => name.startsWith('TLS_'));

function offer({ minVersion, maxVersion, ciphers, curves }: HandshakeOptions): SecureContextOptions {
  return {
    minVersion,
    maxVersion,
    ciphers: ciphers === undefined ? aeadCiphers.join(':') : [...tls13Suites, ciphers].join(':'),
    ...(curves === undefined ? {} : { ecdhCurve: curves }),
  };
}

/**
 * What an upstream's certificate has to be beside trusted: made out to the name, and no further from an authority than is
 * allowed. In the form that `tls.connect` asks for: undefined, or why not.
 */
export function upstreamIdentity({
  verifiedName,
  depth,
}: UpstreamTls): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_host, certificate) => {
    if (depth !== undefined && intermediatesOf(certificate as DetailedPeerCertificate) > depth) {
      const error = new Error(
        `more than ${depth} authorities stand between the certificate and one that is trusted`,
      );
      return Object.assign(error, { code: 'CERT_CHAIN_TOO_LONG' });
    }
    return checkServerIdentity(verifiedName, certificate);
  };
}

/** The certificates between the first and the last of a verified chain. */
function intermediatesOf(leaf: DetailedPeerCertificate): number {
  let count = 0;
  let at: DetailedPeerCertificate | undefined = leaf;
  // An authority is its own issuer; a chain is never longer than this.
  while (at?.issuerCertificate !== undefined && at.issuerCertificate !== at && count < 20) {
    at = at.issuerCertificate;
    count += 1;
  }
  return Math.max(0, count - 1);
}
