import type { HostTlsSettings, RoutingTable } from '../compile/table.ts';
import { sniEntryFor } from '../tls/sni-entry.ts';
import type { Denial } from './guards.ts';
import type { CheckedHead, TlsFacts } from './request-head.ts';

/**
 * Judges a request by its connection: a client can name one host in its handshake and ask another. 421 (RFC 9110 section
 * 15.5.20) where a TLSContext says how TLS is spoken with the clients of the host, and this connection is spoken in another
 * way. Client certificates are judged by the route (`client-certificate.ts`), plain HTTP by `https-redirect.ts`.
 */
export function judgeTls(table: RoutingTable, { host, connection }: CheckedHead): Denial | undefined {
  const { tls } = connection;
  if (tls === undefined || tls.serverName === host.name) return undefined;
  const asked = sniEntryFor(table, host.name)?.settings;
  if (asked === undefined || asked.id === tls.settings?.id || isSpoken(asked, tls)) return undefined;
  return {
    status: 421,
    reason: 'the connection was made for a host with which TLS is spoken in another way',
    fields: [],
  };
}

function isSpoken({ minVersion, maxVersion, ciphers, curves }: HostTlsSettings, tls: TlsFacts): boolean {
  const { version } = tls;
  if (minVersion !== undefined && version < minVersion) return false;
  if (maxVersion !== undefined && version > maxVersion) return false;
  // Suites are chosen for TLS 1.2; those of 1.3 are always the same.
  if (version === 'TLSv1.2' && ciphers !== undefined && !ciphers.split(':').includes(tls.cipher))
    return false;
  // Which group was agreed on is not known, but which ones could have been.
  return curves === undefined || isWithin(tls.settings?.curves, curves);
}

function isWithin(offered: string | undefined, asked: string): boolean {
  const all = asked.split(':');
  return offered?.split(':').every(curve => all.includes(curve)) ?? false;
}
