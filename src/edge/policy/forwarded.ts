import { isIP } from 'node:net';
import { parseHost } from '../match/host.ts';
import { type AddressRanges, plainAddress } from './address-ranges.ts';
import type { CheckedHead, ConnectionFacts } from './request-head.ts';

/** The client as the edge takes it, after what trusted proxies in front have told. */
export interface ClientOrigin {
  readonly address: string;
  readonly scheme: 'http' | 'https';
}

/**
 * Who sent a request, and over what. Of the chain in X-Forwarded-For the last address counts that is not itself a trusted
 * proxy: what stands before it, anybody can have written. An untrusted peer is the client, whatever it says.
 */
export function clientOrigin(head: CheckedHead, trusted: AddressRanges): ClientOrigin {
  const { connection } = head;
  const scheme = connection.secure ? 'https' : 'http';
  if (!connection.trusted) return { address: connection.clientAddress, scheme };
  return {
    address: addressBehind(head, trusted),
    scheme: schemeWord(head.fields.first('x-forwarded-proto')) ?? scheme,
  };
}

/** The scheme alone, for which nothing is made. */
export function clientScheme(head: CheckedHead): 'http' | 'https' {
  const scheme = head.connection.secure ? 'https' : 'http';
  return head.connection.trusted ? (schemeWord(head.fields.first('x-forwarded-proto')) ?? scheme) : scheme;
}

function addressBehind(head: CheckedHead, trusted: AddressRanges): string {
  const chain = all(head, 'x-forwarded-for').split(',');
  let address = head.connection.clientAddress;
  for (const entry of chain.reverse()) {
    const named = addressIn(entry.trim());
    if (named === undefined) return address;
    address = named;
    if (!trusted.has(address)) return address;
  }
  return address;
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`. */
function addressIn(entry: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
  const address = plainAddress(bare);
  return isIP(address) === 0 ? undefined : address;
}

function schemeWord(value: string | undefined): 'http' | 'https' | undefined {
  const lower = value?.toLowerCase();
  return lower === 'http' || lower === 'https' ? lower : undefined;
}

/** The values of all fields of a name (RFC 9110 section 5.3). */
function all({ fields }: CheckedHead, name: string): string {
  let joined = '';
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.name(index) === name) joined += `${joined === '' ? '' : ', '}${fields.value(index)}`;
  }
  return joined;
}

/**
 * What the upstream is told of the client, appended to `to`, names and values in turn: X-Real-IP, X-Forwarded-For, -Host,
 * -Port, -Proto and -Scheme, and with `standard` Forwarded (RFC 7239). Whatever the client sent under these names is to be
 * dropped; a trusted peer's word is part of what is said here.
 */
export function appendForwarded(
  to: string[],
  head: CheckedHead,
  trusted: AddressRanges,
  standard: boolean,
): void {
  const { connection, hostHeader } = head;
  const peer = connection.clientAddress;
  if (!connection.trusted) {
    to.push(...forwardedOfPeer(connection), 'X-Forwarded-Host', hostHeader);
    if (standard) to.push('Forwarded', forwardedOf(connection, hostHeader));
    return;
  }
  const { address, scheme } = clientOrigin(head, trusted);
  const chain = all(head, 'x-forwarded-for');
  const host = head.fields.first('x-forwarded-host');
  const named = host !== undefined && host !== '' && parseHost(host) !== undefined ? host : hostHeader;
  const told = head.fields.first('x-forwarded-port') ?? '';
  const port = /^\d{1,5}$/.test(told) ? told : String(connection.publicPort);
  to.push('X-Real-IP', address, 'X-Forwarded-For', chain === '' ? peer : `${chain}, ${peer}`);
  to.push('X-Forwarded-Host', named, 'X-Forwarded-Port', port);
  to.push('X-Forwarded-Proto', scheme, 'X-Forwarded-Scheme', scheme);
  if (!standard) return;
  const before = all(head, 'forwarded');
  const own = forwardedElement(peer, hostHeader, connection.secure ? 'https' : 'http');
  to.push('Forwarded', before === '' ? own : `${before}, ${own}`);
}

/** The part of it that is the same for all requests of an untrusted peer's connection. */
export function forwardedOfPeer({ clientAddress, secure, publicPort }: ConnectionFacts): string[] {
  const proto = secure ? 'https' : 'http';
  return [
    ...['X-Real-IP', clientAddress, 'X-Forwarded-For', clientAddress, 'X-Forwarded-Port', String(publicPort)],
    ...['X-Forwarded-Proto', proto, 'X-Forwarded-Scheme', proto],
  ];
}

/** The element of Forwarded (RFC 7239) for an untrusted peer. */
export function forwardedOf({ clientAddress, secure }: ConnectionFacts, hostHeader: string): string {
  return forwardedElement(clientAddress, hostHeader, secure ? 'https' : 'http');
}

function forwardedElement(address: string, host: string, proto: string): string {
  const node = address.includes(':') ? `"[${address}]"` : address;
  const named = host === '' ? '' : `;host=${host.includes(':') ? `"${host}"` : host}`;
  return `for=${node}${named};proto=${proto}`;
}
