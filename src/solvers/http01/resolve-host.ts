import { lookup, Resolver } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { TerminalError } from '../../core/errors.ts';

/** What the DNS said about a host. */
export type Resolution =
  | { readonly addresses: readonly string[] }
  | {
      /** `none`: no such name, or no address. `timeout`: no answer. `failure`: the servers could not answer. */
      readonly failure: 'none' | 'timeout' | 'failure';
      /** Who was asked, for messages. */
      readonly asked: string;
    };

/** Resolves a host to its addresses, IPv6 first as most CAs try them. An IP address is its own. Never throws. */
export type HostResolver = (host: string, signal: AbortSignal) => Promise<Resolution>;

/**
 * Reads a nameserver as `--acme-http01-solver-nameservers` has it: `host:port`, `host` or `[v6]:port`, the host an IP
 * address. Throws NAMESERVER_INVALID.
 */
export function parseNameserver(text: string): string {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const address = isIP(text) === 0 ? (match?.[1] ?? match?.[2] ?? '') : text;
  const port = isIP(text) === 0 ? Number(match?.[3] ?? 53) : 53;
  if (isIP(address) === 0 || port < 1 || port > 65_535) {
    throw new TerminalError(
      `--acme-http01-solver-nameservers: ${JSON.stringify(text)} is no nameserver; write ADDRESS:PORT, 10.0.0.2:53 say`,
      { code: 'NAMESERVER_INVALID' },
    );
  }
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

const none = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/**
 * A resolver that asks `nameservers`, or else those of the system. With those of the system the hosts file counts
 * too. Queries go over sockets of their own: the threads of getaddrinfo are few, and dead names would hold them.
 */
export function createHostResolver(nameservers: readonly string[] = []): HostResolver {
  const servers = nameservers.map(parseNameserver);
  const asked = servers.length === 0 ? "the system's nameservers" : servers.join(', ');

  async function query(host: string, signal: AbortSignal): Promise<Resolution> {
    const resolver = new Resolver({ timeout: 2_000, tries: 3 });
    if (servers.length > 0) resolver.setServers(servers);
    const cancel = (): void => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const [v6, v4] = await Promise.allSettled([resolver.resolve6(host), resolver.resolve4(host)]);
      const addresses = [v6, v4].flatMap(result => (result.status === 'fulfilled' ? result.value : []));
      if (addresses.length > 0) return { addresses };
      const codes = [v6, v4].map(result =>
        result.status === 'rejected' ? codeOf(result.reason) : 'ENODATA',
      );
      if (codes.every(code => none.has(code))) return { failure: 'none', asked };
      const failure = codes.some(code => code === 'ETIMEOUT' || code === 'ECANCELLED')
        ? 'timeout'
        : 'failure';
      return { failure, asked };
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  return async (host, signal) => {
    if (isIP(host) !== 0) return { addresses: [host] };
    if (signal.aborted) return { failure: 'timeout', asked };
    const resolution = await query(host, signal);
    // Only a quick refusal is worth a thread: a name that nobody answers for would hold it for long.
    if ('addresses' in resolution || servers.length > 0 || resolution.failure === 'timeout')
      return resolution;
    try {
      const found = await lookup(host, { all: true, order: 'ipv6first' });
      return { addresses: found.map(({ address }) => address) };
    } catch {
      return resolution;
    }
  };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
