import { createSecureContext, type SecureContext } from 'node:tls';
import { messageOf } from '../../core/errors.ts';
import { LruMap } from '../../core/lru.ts';
import type { RoutingTable, ServerCertificate, SniEntry } from '../compile/table.ts';
import { wildcardFor } from '../match/host.ts';
import type { CertificateWithKey } from './default-certificate.ts';

/** TLS of the edge's own side: 1.2 with AEAD and forward secrecy, and 1.3. */
export const serverTlsSettings = Object.freeze({
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  honorCipherOrder: true,
} as const);

export interface SniStoreOptions {
  readonly table: () => RoutingTable;
  readonly fallback: CertificateWithKey;
  /** How many contexts are kept; one takes about 30 KB. */
  readonly capacity?: number;
  /** Told once for each certificate that parsed, and that the TLS library refuses all the same. */
  readonly onUnusable: (certificate: ServerCertificate, reason: string) => void;
}

/** The TLS context for each server name. */
export interface SniStore {
  /** Never throws: a name without a usable certificate gets the default one. `''` is a client without SNI. */
  contextFor(serverName: string): SecureContext;
  readonly defaultContext: SecureContext;
  /** The same as a server's own `cert` and `key`, for clients without SNI. */
  readonly defaultCertificate: { readonly cert: string; readonly key: string };
}

/** Which entry serves a name: the exact one, else that of its one-label wildcard (edge.md, statement 16). */
export function sniEntryFor(table: RoutingTable, serverName: string): SniEntry | undefined {
  const lower = serverName.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return table.sni.get(name) ?? table.sni.get(wildcardFor(name) ?? '');
}

/**
 * Contexts are built when a name is first asked for, which takes most of a millisecond, and kept by what they are made
 * of: a changed Secret is a new context with the next handshake, and all others stay.
 */
export function createSniStore(options: SniStoreOptions): SniStore {
  const { table, fallback, capacity = 2_000, onUnusable } = options;
  const defaultContext = createSecureContext({
    cert: fallback.chain,
    key: fallback.key,
    ...serverTlsSettings,
  });
  const contexts = new LruMap<string, SecureContext>(capacity);

  const contextOf = (certificate: ServerCertificate): SecureContext => {
    const known = contexts.get(certificate.id);
    if (known !== undefined) return known;
    let made = defaultContext;
    try {
      const { chain, key } = certificate;
      made = createSecureContext({ cert: chain, key: key.reveal(), ...serverTlsSettings });
    } catch (error) {
      onUnusable(certificate, messageOf(error));
    }
    contexts.set(certificate.id, made);
    return made;
  };

  return {
    defaultContext,
    defaultCertificate: { cert: fallback.chain, key: fallback.key },
    contextFor(serverName) {
      const entry = sniEntryFor(table(), serverName);
      return entry?.kind === 'certificate' ? contextOf(entry.certificate) : defaultContext;
    },
  };
}
