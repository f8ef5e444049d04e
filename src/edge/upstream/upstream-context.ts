import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { UpstreamTls } from '../compile/table.ts';

/** Hundreds of authorities take some ten milliseconds to load, so they are loaded when first needed, and once. */
let systemAuthorities: string[] | undefined;
let systemContext: SecureContext | undefined;

/** The authorities of the system's store and those that came with Node. */
function authorities(): string[] {
  systemAuthorities ??= [...new Set([...getCACertificates('system'), ...getCACertificates('bundled')])];
  return systemAuthorities;
}

/** The TLS context for an upstream: authorities, client certificate, TLS 1.2 or newer. Throws where they do not load. */
export function upstreamContext({ ca, client }: UpstreamTls): SecureContext {
  if (ca === undefined && client === undefined) {
    systemContext ??= createSecureContext({ minVersion: 'TLSv1.2', ca: authorities() });
    return systemContext;
  }
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ca: ca ?? authorities(),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key.reveal() }),
  });
}
