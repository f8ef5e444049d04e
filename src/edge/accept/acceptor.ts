import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { RoutingTable } from '../compile/table.ts';
import type { EdgeLimits } from '../limits.ts';
import type { EdgeMetrics } from '../metrics.ts';
import { type AddressRanges, plainAddress } from '../policy/address-ranges.ts';
import type { ConnectionFacts, TlsFacts } from '../policy/request-head.ts';
import { clientKey } from '../policy/request-limits.ts';
import type { ProtocolServer } from '../protocol-server.ts';
import { RateGate } from '../rate-gate.ts';
import { readClientHello } from '../tls/client-hello.ts';
import { normalServerName } from '../tls/sni-entry.ts';
import { hasTlsProfiles, tlsProfileFor } from '../tls/tls-profile.ts';
import type { TlsTerminator } from '../tls/tls-terminator.ts';
import { readProxyHeader } from './proxy-header.ts';
import { readAhead } from './read-ahead.ts';
import { Tally } from './tally.ts';

export interface AcceptorParts {
  table(): RoutingTable;
  /** Undefined once there is a table; until then connections wait for it. */
  starting(): Promise<void> | undefined;
  readonly limits: EdgeLimits;
  /** From the first byte to the end of the handshake, in milliseconds. */
  readonly handshakeMs: number;
  readonly publicPorts: { readonly http: number; readonly https: number };
  /** Each connection must begin with a PROXY header, and come from within the trusted ranges. */
  readonly proxyProtocol: boolean;
  readonly trusted: AddressRanges;
  readonly tls: TlsTerminator;
  readonly http1: ProtocolServer;
  readonly http2: ProtocolServer | undefined;
  readonly metrics: EdgeMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

const logIntervalMs = 10_000;
/** How long a handshake under way may take while the engine stops: what is cut is a request lost. */
const lastHandshakeMs = 5_000;

/**
 * What is done with a connection before its protocol is spoken: counted, refused beyond the limits, its PROXY header read,
 * its TLS handshake made.
 *
 *   accepted -> (PROXY header) -> (ClientHello looked at) -> (handshake) -> HTTP/1 or HTTP/2
 */
export class Acceptor {
  readonly #parts: AcceptorParts;
  readonly #open = new Set<Socket>();
  /** Those of them that speak no protocol yet. */
  readonly #beginning = new Set<Socket>();
  readonly #byAddress: Tally;
  readonly #handshakes: Tally;
  readonly #logGate: RateGate;
  #onEmpty: (() => void) | undefined;

  constructor(parts: AcceptorParts) {
    this.#parts = parts;
    this.#logGate = new RateGate(parts.clock, logIntervalMs);
    this.#byAddress = new Tally(parts.limits.connectionsPerAddress);
    this.#handshakes = new Tally(parts.limits.handshakesPerAddress);
  }

  /** Takes a connection over. Never throws. */
  accept(socket: Socket, secure: boolean): void {
    const { limits, metrics } = this.#parts;
    // Whoever comes after has listeners of its own; an error without any would end the process.
    socket.on('error', () => socket.destroy());
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (peer === '') {
      socket.destroy();
      return;
    }
    if (limits.connections > 0 && this.#open.size >= limits.connections) {
      this.#refuse(socket, 'too many connections');
      return;
    }
    this.#open.add(socket);
    this.#beginning.add(socket);
    metrics.connections(1);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#beginning.delete(socket);
      metrics.connections(-1);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
    const deadline = setTimeout(() => socket.destroy(), this.#parts.handshakeMs);
    deadline.unref();
    socket.once('close', () => clearTimeout(deadline));
    const begin = (): void => this.#guarded(socket, () => this.#begin(socket, secure, peer, deadline));
    const starting = this.#parts.starting();
    if (starting === undefined) begin();
    else void starting.then(begin);
  }

  /** Connections that have not got through their handshake in a while are cut. */
  drain(): void {
    setTimeout(() => {
      for (const socket of this.#beginning) socket.destroy();
    }, lastHandshakeMs).unref();
  }

  /** Resolves when no connection is left. */
  empty(): Promise<void> {
    return this.#open.size === 0
      ? Promise.resolve()
      : new Promise(resolve => {
          this.#onEmpty = resolve;
        });
  }

  /** Cuts whatever is open. */
  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** An error of ours costs this one connection and never the process. */
  #guarded(socket: Socket, action: () => void): void {
    if (socket.destroyed) return;
    try {
      action();
    } catch (error) {
      const message = messageOf(error);
      // Whoever connects can bring it about as often as it pleases.
      if (this.#logGate.passes(message))
        this.#parts.logger.error('a connection could not be served', { error: message });
      socket.destroy();
    }
  }

  #refuse(socket: Socket, reason: string): void {
    this.#parts.metrics.refused(reason);
    socket.destroy();
  }

  #begin(socket: Socket, secure: boolean, peer: string, deadline: NodeJS.Timeout): void {
    const { proxyProtocol, trusted } = this.#parts;
    if (!proxyProtocol) {
      this.#admit(socket, secure, peer, deadline);
      return;
    }
    if (!trusted.has(peer)) {
      this.#refuse(socket, 'PROXY protocol from an untrusted address');
      return;
    }
    let client = peer;
    readAhead(
      socket,
      bytes => {
        const header = readProxyHeader(bytes);
        if (header.kind === 'incomplete') return undefined;
        if (header.kind === 'malformed') {
          this.#refuse(socket, 'malformed PROXY header');
          return undefined;
        }
        if (header.kind === 'client') client = plainAddress(header.address);
        return header.bytes;
      },
      () => this.#guarded(socket, () => this.#admit(socket, secure, client, deadline)),
    );
  }

  /** The client's address is known. */
  #admit(socket: Socket, secure: boolean, clientAddress: string, deadline: NodeJS.Timeout): void {
    const { publicPorts, trusted, http1 } = this.#parts;
    const isTrusted = trusted.has(clientAddress);
    const client = clientKey(clientAddress);
    if (!isTrusted) {
      if (!this.#byAddress.take(client)) {
        this.#refuse(socket, 'too many connections of one address');
        return;
      }
      socket.once('close', () => this.#byAddress.giveBack(client));
    }
    const facts = { secure, clientAddress, trusted: isTrusted };
    if (!secure) {
      clearTimeout(deadline);
      this.#beginning.delete(socket);
      http1.take(socket, { ...facts, publicPort: publicPorts.http, tls: undefined });
      return;
    }
    if (!isTrusted) {
      if (!this.#handshakes.take(client)) {
        this.#refuse(socket, 'too many handshakes of one address');
        return;
      }
    }
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(deadline);
      if (!isTrusted) this.#handshakes.giveBack(client);
    };
    socket.once('close', () => {
      if (!isOver) this.#parts.metrics.handshakeFailed();
      over();
    });
    this.#shakeHands(socket, (secured, tls) => {
      over();
      this.#beginning.delete(socket);
      this.#serve(secured, { ...facts, publicPort: publicPorts.https, tls });
    });
  }

  #shakeHands(socket: Socket, done: (secured: Socket, tls: TlsFacts) => void): void {
    const { tls, metrics } = this.#parts;
    const table = this.#parts.table();
    const listener = {
      secure: (secured: Socket, facts: TlsFacts): void => done(secured, facts),
      // Counted when the connection closes.
      failed: (): void => {},
    };
    // Most of the time no host has rules of its own, and nothing needs to be known beforehand.
    if (!hasTlsProfiles(table)) {
      tls.accept(socket, undefined, listener);
      return;
    }
    let serverName = '';
    readAhead(
      socket,
      bytes => {
        const hello = readClientHello(bytes);
        if (hello.kind === 'incomplete') return undefined;
        if (hello.kind === 'read') serverName = normalServerName(hello.serverName);
        else metrics.refused('unreadable ClientHello');
        // What cannot be read here goes on without a profile: the TLS library says to the client what is wrong.
        return 0;
      },
      () =>
        this.#guarded(socket, () =>
          tls.accept(socket, tlsProfileFor(this.#parts.table(), serverName), listener),
        ),
    );
  }

  #serve(socket: Socket & { alpnProtocol?: unknown }, facts: ConnectionFacts & { tls: TlsFacts }): void {
    const { metrics, http1, http2 } = this.#parts;
    socket.on('error', () => socket.destroy());
    metrics.handshake(facts.tls.version, 'isSessionReused' in socket && isReused(socket));
    const isHttp2 = socket.alpnProtocol === 'h2' && http2 !== undefined;
    (isHttp2 ? http2 : http1).take(socket, facts);
  }
}

function isReused(socket: object): boolean {
  return (socket as { isSessionReused(): boolean }).isSessionReused();
}
