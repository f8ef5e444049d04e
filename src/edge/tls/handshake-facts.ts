import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, TlsFacts } from '../policy/request-head.ts';

/** What a handshake gave. What few ask for is asked of the TLS library when it is asked for. */
export class HandshakeFacts implements TlsFacts {
  readonly serverName: string;
  readonly version: string;
  readonly client: ClientCertificate | undefined;
  readonly #socket: TLSSocket;
  #cipher: string | undefined;

  constructor(socket: TLSSocket, serverName: string, client: ClientCertificate | undefined) {
    this.#socket = socket;
    this.serverName = serverName;
    this.version = socket.getProtocol() ?? '';
    this.client = client;
  }

  get cipher(): string {
    // Undefined once the connection is gone.
    const cipher = this.#socket.getCipher() as { standardName: string } | undefined;
    this.#cipher ??= cipher?.standardName;
    return this.#cipher ?? '';
  }
}
