import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import { messageOf } from '../../core/errors.ts';
import { LruMap } from '../../core/lru.ts';
import type { RoutingTable, ServerCertificate } from '../compile/table.ts';
import { weighContext } from './context-weight.ts';
import type { CertificateWithKey } from './default-certificate.ts';
import { sniEntryFor } from './sni-entry.ts';
import type { TlsProfile } from './tls-profile.ts';
import type { ServerTlsSettings } from './tls-settings.ts';

export interface ContextStoreOptions {
  readonly table: () => RoutingTable;
  readonly settings: ServerTlsSettings;
  /** What is offered by ALPN, the preferred first, where a profile says nothing else. */
  readonly protocols: readonly ('h2' | 'http/1.1')[];
  /** Stands in where the table has no default certificate. */
  readonly fallback: CertificateWithKey;
  /** How many contexts are kept; one takes about 50 KB, and what is let go lies until V8 collects garbage. */
  readonly capacity?: number;
  /** Told once for each certificate that parsed, and that the TLS library refuses all the same. */
  readonly onUnusable: (certificate: ServerCertificate, reason: string) => void;
}

/** The TLS contexts of names and profiles. */
export interface ContextStore {
  /**
   * Never throws for a certificate: a name without a usable one gets the default. Throws where a profile cannot be
   * honoured, such as authorities that do not parse: no handshake is to be made then.
   */
  contextFor(serverName: string, profile: TlsProfile | undefined): SecureContext;
  /** What a server of this profile is made from, the default certificate included. Throws like `contextFor`. */
  serverOptions(profile: TlsProfile | undefined): TlsOptions;
  /** Changes when the default certificate does. */
  defaultId(): string;
}

/** Session ids are told apart by it (RFC 5077 servers of several contexts): the same in all workers. */
const sessionIdContext = 'postern-edge';

/**
 * Contexts are built when a name is first asked for, which takes most of a millisecond, and kept by what they are made
 * of: a changed Secret is a new context with the next handshake, and all others stay.
 */
export function createContextStore(options: ContextStoreOptions): ContextStore {
  const { table, settings, fallback, capacity = 1_000, onUnusable } = options;
  const contexts = new LruMap<string, SecureContext>(capacity);
  const unusable = new Set<string>();

  const usable = (certificate: ServerCertificate | undefined): certificate is ServerCertificate =>
    certificate !== undefined && !unusable.has(certificate.id);

  const build = (
    certificate: ServerCertificate,
    profile: TlsProfile | undefined,
  ): SecureContext | undefined => {
    const key = `${certificate.id} ${profile?.id ?? ''}`;
    const known = contexts.get(key);
    if (known !== undefined) return known;
    try {
      const made = weighContext(
        createSecureContext({
          cert: certificate.chain,
          key: certificate.key.reveal(),
          ...profileOptions(settings, profile),
        }),
      );
      contexts.set(key, made);
      return made;
    } catch (error) {
      // Either the certificate or the profile is at fault.
      createSecureContext(profileOptions(settings, profile));
      unusable.add(certificate.id);
      onUnusable(certificate, messageOf(error));
      return undefined;
    }
  };

  const defaultEntry = (): ServerCertificate | undefined => {
    const entry = table().sni.get('');
    const certificate = entry?.kind === 'certificate' ? entry.certificate : undefined;
    return usable(certificate) && build(certificate, undefined) !== undefined ? certificate : undefined;
  };

  const defaultContext = (profile: TlsProfile | undefined): SecureContext => {
    const certificate = defaultEntry();
    const given = certificate === undefined ? undefined : build(certificate, profile);
    if (given !== undefined) return given;
    const key = `fallback ${profile?.id ?? ''}`;
    const known = contexts.get(key);
    if (known !== undefined) return known;
    const made = createSecureContext({
      cert: fallback.chain,
      key: fallback.key,
      ...profileOptions(settings, profile),
    });
    contexts.set(key, made);
    return made;
  };

  return {
    contextFor(serverName, profile) {
      const entry = sniEntryFor(table(), serverName);
      const certificate = entry?.kind === 'certificate' ? entry.certificate : undefined;
      return (usable(certificate) ? build(certificate, profile) : undefined) ?? defaultContext(profile);
    },
    serverOptions(profile) {
      const certificate = defaultEntry();
      const material =
        certificate === undefined
          ? { cert: fallback.chain, key: fallback.key }
          : { cert: certificate.chain, key: certificate.key.reveal() };
      const client = profile?.clientCertificate;
      return {
        ...material,
        ...profileOptions(settings, profile),
        ALPNProtocols: [...(profile?.settings?.alpn ?? options.protocols)],
        // The verdict is passed on: which path the client is after is known only later.
        ...(client === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
      };
    },
    defaultId: () => defaultEntry()?.id ?? '',
  };
}

function profileOptions(settings: ServerTlsSettings, profile: TlsProfile | undefined) {
  const own = profile?.settings;
  const client = profile?.clientCertificate;
  // OpenSSL would pass over a text without certificates, and could trust others instead. This throws.
  if (client !== undefined) void new X509Certificate(client.ca);
  // A resumed session tells nothing of a list of revoked certificates that has changed, nor of another policy's chain:
  // where clients are asked for certificates, each handshake is a whole one.
  const resumes = settings.sessionTickets && client === undefined;
  // A host may ask for more than the flags do, and not for less.
  const minVersion = own?.minVersion === 'TLSv1.3' ? own.minVersion : settings.minVersion;
  const maxVersion = own?.maxVersion ?? 'TLSv1.3';
  if (minVersion > maxVersion)
    throw new Error(`TLS up to ${maxVersion} is asked for, and from ${minVersion}`);
  return {
    minVersion,
    maxVersion,
    ciphers: own?.ciphers ?? settings.ciphers.join(':'),
    honorCipherOrder: true,
    sessionIdContext,
    ...(own?.curves === undefined ? {} : { ecdhCurve: own.curves }),
    ...(resumes ? {} : { secureOptions: constants.SSL_OP_NO_TICKET }),
    ...(client === undefined
      ? {}
      : { ca: client.ca, ...(client.crl === undefined ? {} : { crl: client.crl }) }),
  };
}
