import { hkdfSync } from 'node:crypto';
import { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { RoutingTable } from '../compile/table.ts';
import type { TlsFacts } from '../policy/request-head.ts';
import { RateGate } from '../rate-gate.ts';
import { clientCertificateOf } from './client-certificate.ts';
import type { ContextStore } from './context-store.ts';
import { HandshakeFacts } from './handshake-facts.ts';
import { normalServerName } from './sni-entry.ts';
import { type TlsProfile, tlsProfileFor } from './tls-profile.ts';

export interface TlsTerminatorOptions {
  readonly table: () => RoutingTable;
  readonly contexts: ContextStore;
  /** 48 secret bytes that all workers share. */
  readonly ticketKeys: Buffer;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Told once of each connection, unless it closes before. */
export interface HandshakeListener {
  secure(socket: TLSSocket, facts: TlsFacts): void;
  /** The connection is closed, or about to be. */
  failed(reason: string): void;
}

interface Under {
  readonly profile: TlsProfile | undefined;
  readonly listener: HandshakeListener;
}

const logIntervalMs = 10_000;
/** Profiles whose servers are kept. There are as many as there are policies for client certificates. */
const mostServers = 1_000;

/**
 * Speaks TLS on connections that were accepted elsewhere. Each profile has a server of its own that listens nowhere, with
 * ticket keys of its own: a session cannot be resumed where other rules hold.
 */
export class TlsTerminator {
  readonly #options: TlsTerminatorOptions;
  readonly #servers = new Map<string, Server>();
  /** Handshakes under way, by the sockets that were given to `accept`. */
  readonly #under = new WeakMap<Socket, Under>();
  readonly #logGate: RateGate;
  #ticketKeys: Buffer;
  #defaultId: string;

  constructor(options: TlsTerminatorOptions) {
    this.#options = options;
    this.#logGate = new RateGate(options.clock, logIntervalMs);
    this.#ticketKeys = options.ticketKeys;
    this.#defaultId = options.contexts.defaultId();
  }

  /** Sessions of the keys before are not resumed from now on. */
  setTicketKeys(keys: Buffer): void {
    this.#ticketKeys = keys;
    for (const [id, server] of this.#servers) server.setTicketKeys(keysFor(keys, id));
  }

  /** To be called when there is another table: the default certificate may be another one. */
  tableChanged(): void {
    const id = this.#options.contexts.defaultId();
    if (id === this.#defaultId) return;
    this.#defaultId = id;
    this.#servers.clear();
  }

  /** Begins a handshake. Its first bytes may have been read, and put back. Throws where the profile cannot be honoured. */
  accept(raw: Socket, profile: TlsProfile | undefined, listener: HandshakeListener): void {
    const server = this.#serverOf(profile);
    this.#under.set(raw, { profile, listener });
    server.emit('connection', raw);
  }

  #serverOf(profile: TlsProfile | undefined): Server {
    const id = profile?.id ?? '';
    const known = this.#servers.get(id);
    if (known !== undefined) return known;
    const server = createServer({
      ...this.#options.contexts.serverOptions(profile),
      ticketKeys: keysFor(this.#ticketKeys, id),
      SNICallback: (serverName, callback) => this.#choose(serverName, profile, callback),
    });
    server.on('secureConnection', socket => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => this.#failed(socket, error));
    if (this.#servers.size >= mostServers) this.#servers.clear();
    this.#servers.set(id, server);
    return server;
  }

  /** A throw in here would end the process (CVE-2026-21637). */
  #choose(
    serverName: string,
    profile: TlsProfile | undefined,
    callback: (error: Error | null, context?: SecureContext) => void,
  ): void {
    let context: SecureContext | undefined;
    try {
      context = this.#options.contexts.contextFor(serverName, profile);
    } catch (error) {
      this.#warn('no certificate could be chosen', error);
      // Without a context the server's own goes on: the default certificate, with the same profile.
    }
    try {
      if (context === undefined) callback(null);
      else callback(null, context);
    } catch (error) {
      this.#warn('a handshake could not go on', error);
    }
  }

  #secured(socket: TLSSocket): void {
    const under = this.#take(socket);
    if (under === undefined) {
      socket.destroy();
      return;
    }
    const { profile, listener } = under;
    try {
      const serverName = normalServerName(typeof socket.servername === 'string' ? socket.servername : '');
      // The name that the TLS library read decides. Where it has other rules than the name that was read beforehand,
      // somebody wrote the ClientHello so that it can be read in two ways; or the rules have just changed.
      if (tlsProfileFor(this.#options.table(), serverName)?.id !== profile?.id) {
        listener.failed('other rules than expected');
        socket.destroy();
        return;
      }
      const client =
        profile?.clientCertificate === undefined
          ? undefined
          : clientCertificateOf(socket, profile.clientCertificate);
      listener.secure(socket, new HandshakeFacts(socket, serverName, profile?.settings, client));
    } catch (error) {
      this.#warn('a connection could not be served', error);
      socket.destroy();
    }
  }

  /** Whoever connects can bring it about as often as it pleases: it is logged once in a while. */
  #warn(message: string, thrown: unknown): void {
    const error = messageOf(thrown);
    if (this.#logGate.passes(`${message} ${error}`)) this.#options.logger.warn(message, { error });
  }

  #failed(socket: TLSSocket, error: Error & { code?: unknown }): void {
    this.#take(socket)?.listener.failed(typeof error.code === 'string' ? error.code : error.message);
    socket.destroy();
  }

  #take(socket: TLSSocket): Under | undefined {
    const raw = rawSocketOf(socket);
    const under = raw && this.#under.get(raw);
    if (raw !== undefined) this.#under.delete(raw);
    return under;
  }
}

/**
 * The socket under a TLS socket. Node's interface does not tell it, and to find it by the addresses of both ends would cost
 * system calls in each handshake.
 */
function rawSocketOf(socket: TLSSocket): Socket | undefined {
  const raw: unknown = Reflect.get(socket, '_parent');
  return raw instanceof Socket ? raw : undefined;
}

/** The ticket keys of one profile (RFC 5869). */
function keysFor(keys: Buffer, profile: string): Buffer {
  return Buffer.from(hkdfSync('sha256', keys, '', `postern tickets ${profile}`, 48));
}
