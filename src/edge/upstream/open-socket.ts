import { connect as connectPlain, type LookupFunction, type Socket } from 'node:net';
import { connect as connectSecure, type SecureContext } from 'node:tls';
import type { Endpoint, UpstreamTls } from '../compile/table.ts';
import { upstreamIdentity } from './upstream-context.ts';

/** Where connections lead, and how they are made. */
export interface SocketHome {
  readonly endpoint: Endpoint;
  readonly tls: UpstreamTls | undefined;
  /** For `tls`. */
  readonly context: SecureContext | undefined;
  /** For endpoints that are names. */
  readonly lookup: LookupFunction;
  /** Of the last connection that was verified: saves the next one most of its handshake. */
  session: Buffer | undefined;
}

/** Told of a connection. */
export interface SocketReader {
  /** So many bytes stand in the memory that was given. Gives whether more may come at once. */
  read(length: number): boolean;
  /** The connection stands; with TLS, the other side is verified. */
  stands(): void;
}

/**
 * Connects to an endpoint. Reads go into `memory`, which sockets may share: what is read is told at once. With TLS nothing is
 * sent before the certificate was verified, unless someone wrote that it is not to be.
 */
export function openSocket(home: SocketHome, memory: Buffer, reader: SocketReader): Socket {
  const { endpoint, tls, context, lookup } = home;
  const common = {
    host: endpoint.address,
    port: endpoint.port,
    noDelay: true,
    lookup,
    onread: { buffer: memory, callback: (length: number): boolean => reader.read(length) },
  };
  if (tls === undefined) {
    const plain = connectPlain(common);
    plain.on('connect', () => reader.stands());
    return plain;
  }
  const secure = connectSecure({
    ...common,
    ...(context === undefined ? {} : { secureContext: context }),
    ...(home.session === undefined ? {} : { session: home.session }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: tls.verify,
    servername: tls.serverName ?? '',
    // Without SNI Node would check the certificate against the address.
    checkServerIdentity: upstreamIdentity(tls),
  });
  // A session is worth something only after its connection was verified: a resumed one is not verified again.
  let stands = false;
  let session: Buffer | undefined;
  secure.on('session', (made: Buffer) => {
    session = made;
    if (stands) home.session = made;
  });
  secure.on('secureConnect', () => {
    stands = true;
    home.session = session ?? home.session;
    reader.stands();
  });
  return secure;
}
