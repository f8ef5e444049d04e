import { createHash, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { scopeOf } from './address-scope.ts';
import { canonicalHost, challengePath, urlHost } from './challenge-host.ts';
import type { HostResolver, Resolution } from './resolve-host.ts';

/** What is looked for, and where. */
export interface ProbeTarget {
  /** A DNS name or an IP address. */
  readonly host: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

/** Why the answer was not found. Nothing in it is the other side's own text, except a host it redirected to. */
export type ProbeFailure =
  | {
      readonly kind: 'dns';
      readonly host: string;
      readonly why: 'none' | 'timeout' | 'failure';
      readonly asked: string;
    }
  | { readonly kind: 'connect'; readonly at: string; readonly code: string }
  | { readonly kind: 'timeout'; readonly at: string | undefined }
  | { readonly kind: 'status'; readonly at: string; readonly status: number }
  | { readonly kind: 'mismatch'; readonly at: string; readonly length: number; readonly complete: boolean }
  | { readonly kind: 'broken'; readonly at: string }
  | {
      readonly kind: 'redirect';
      readonly to: string;
      readonly why: 'count' | 'scheme' | 'port' | 'local' | 'malformed';
    }
  | { readonly kind: 'address'; readonly address: string };

export type ProbeOutcome = { readonly found: true } | ({ readonly found: false } & ProbeFailure);

/** One look for the answer, as a CA does it (RFC 8555 section 8.3). Ends by `signal` at the latest; never throws. */
export type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeOutcome>;

/** RFC 8555 leaves the number open; Let's Encrypt follows ten. */
const mostRedirects = 10;
const mostBytes = 1_024;
/** While there are further addresses to try. */
const connectMs = 3_000;

/** A place to ask. */
interface Hop {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

type Reply =
  | {
      readonly status: number;
      readonly location: string | undefined;
      readonly body: Buffer;
      readonly complete: boolean;
    }
  | { readonly unreachable: string }
  | { readonly broken: true }
  | { readonly timedOut: true };

/**
 * Makes the probe. `port` is where the CA looks, 80 but for test authorities.
 *
 * The names are the users', so a probe could be turned against what only this process can reach. Therefore:
 * - it is a GET of the challenge path alone, with no body, cookie or credential, and the answer's content is compared
 *   and forgotten: what is told is an address, a status and a length;
 * - no address that can hold no site is connected to (link-local, where clouds have their metadata service,
 *   unspecified, multicast). Private and loopback addresses are, as a name may well lead there by a split DNS;
 * - a redirect goes to ports 80, 443 and `port`, by http and https; to the same host at the address that sent it, not
 *   at what its name says by now; to another host only on the internet.
 */
export function createProbe(parts: {
  readonly resolve: HostResolver;
  readonly port: number;
  readonly clock: Clock;
}): Probe {
  const { resolve, port, clock } = parts;

  async function addressesOf(
    hop: Hop,
    pinned: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<Resolution> {
    const known = pinned.get(hop.host);
    return known === undefined ? resolve(hop.host, signal) : { addresses: [known] };
  }

  return async (target, signal) => {
    let hop: Hop = { secure: false, host: target.host, port, path: `${challengePath}${target.token}` };
    const pinned = new Map<string, string>();
    for (let redirects = 0; ; redirects += 1) {
      const resolution = await addressesOf(hop, pinned, signal);
      if (!('addresses' in resolution)) {
        if (signal.aborted) return { found: false, kind: 'timeout', at: undefined };
        return {
          found: false,
          kind: 'dns',
          host: hop.host,
          why: resolution.failure,
          asked: resolution.asked,
        };
      }
      const refused = refusedAddress(resolution.addresses, redirects > 0 && hop.host !== target.host);
      if (refused !== undefined) {
        return redirects > 0
          ? { found: false, kind: 'redirect', to: hop.host, why: 'local' }
          : { found: false, kind: 'address', address: refused };
      }
      const { address, reply } = await firstReply(hop, resolution.addresses, signal, clock);
      const at = `${urlHost(address)}:${hop.port}`;
      if ('timedOut' in reply) return { found: false, kind: 'timeout', at };
      if ('unreachable' in reply) return { found: false, kind: 'connect', at, code: reply.unreachable };
      if ('broken' in reply) return { found: false, kind: 'broken', at };
      if (![301, 302, 303, 307, 308].includes(reply.status)) return judge(reply, at, target.keyAuthorization);
      if (redirects === mostRedirects) return { found: false, kind: 'redirect', to: hop.host, why: 'count' };
      pinned.set(hop.host, address);
      const next = redirectTo(reply.location, hop, port);
      if ('why' in next) return { found: false, kind: 'redirect', ...next };
      hop = next;
    }
  };
}

/** An address that must not be connected to: one of them spoils them all, as a CA may take any. */
function refusedAddress(addresses: readonly string[], globalAlone: boolean): string | undefined {
  return addresses.find(address => {
    const scope = scopeOf(address);
    return scope === 'never' || (globalAlone && scope === 'local');
  });
}

type RefusedRedirect = { readonly to: string; readonly why: 'scheme' | 'port' | 'malformed' };

function redirectTo(location: string | undefined, from: Hop, port: number): Hop | RefusedRedirect {
  const base = `${from.secure ? 'https' : 'http'}://${urlHost(from.host)}:${from.port}${from.path}`;
  if (location === undefined || location.length > 2_048 || !URL.canParse(location, base)) {
    return { to: from.host, why: 'malformed' };
  }
  const url = new URL(location, base);
  const host = canonicalHost(url.hostname);
  if (host === undefined) return { to: from.host, why: 'malformed' };
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') return { to: host, why: 'scheme' };
  const wanted = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  if (![80, 443, port].includes(wanted)) return { to: host, why: 'port' };
  return { secure, host, port: wanted, path: `${url.pathname}${url.search}` };
}

function judge(
  reply: { readonly status: number; readonly body: Buffer; readonly complete: boolean },
  at: string,
  expected: string,
): ProbeOutcome {
  if (reply.status !== 200) return { found: false, kind: 'status', at, status: reply.status };
  // CAs forgive whitespace at the end.
  const answer = reply.body.toString('latin1').trimEnd();
  if (timingSafeEqual(digest(answer), digest(expected))) return { found: true };
  return { found: false, kind: 'mismatch', at, length: reply.body.length, complete: reply.complete };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The first answer of any kind; where there is none, how the last address failed. */
async function firstReply(
  hop: Hop,
  addresses: readonly string[],
  signal: AbortSignal,
  clock: Clock,
): Promise<{ address: string; reply: Reply }> {
  let result: { address: string; reply: Reply } = { address: '', reply: { timedOut: true } };
  for (const [at, address] of addresses.entries()) {
    const patience = at < addresses.length - 1 ? connectMs : undefined;
    result = { address, reply: await ask(hop, address, { signal, clock, patience }) };
    const again = 'unreachable' in result.reply || ('timedOut' in result.reply && !signal.aborted);
    if (!again) break;
  }
  return result;
}

function ask(
  hop: Hop,
  address: string,
  { signal, clock, patience }: { signal: AbortSignal; clock: Clock; patience: number | undefined },
): Promise<Reply> {
  return new Promise(resolve => {
    const standard = hop.port === (hop.secure ? 443 : 80);
    const request = (hop.secure ? https : http).request({
      host: address,
      port: hop.port,
      path: hop.path,
      method: 'GET',
      agent: false,
      maxHeaderSize: 16 * 1024,
      headers: {
        host: standard ? urlHost(hop.host) : `${urlHost(hop.host)}:${hop.port}`,
        'user-agent': 'postern-self-check',
        accept: '*/*',
        connection: 'close',
      },
      // As a CA: the site may be without a valid certificate, or why would it ask for one.
      ...(hop.secure
        ? { rejectUnauthorized: false, ...(isIP(hop.host) === 0 ? { servername: hop.host } : {}) }
        : {}),
    });
    let connected = false;
    const end = (reply: Reply): void => {
      cancelPatience();
      signal.removeEventListener('abort', onAbort);
      request.destroy();
      resolve(reply);
    };
    const onAbort = (): void => end({ timedOut: true });
    const cancelPatience = patience === undefined ? () => {} : clock.after(patience, onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    request.on('socket', socket => {
      socket.once('connect', () => {
        connected = true;
        cancelPatience();
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      end(connected ? { broken: true } : { unreachable: error.code ?? 'unknown' }),
    );
    request.on('response', response => {
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      const chunks: Buffer[] = [];
      let length = 0;
      const done = (complete: boolean): void => {
        const body = Buffer.concat(chunks).subarray(0, mostBytes);
        end({ status, location, body, complete });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > mostBytes) done(false);
      });
      response.on('end', () => done(true));
      response.on('error', () => end({ broken: true }));
    });
    request.end();
  });
}
