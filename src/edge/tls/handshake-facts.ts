import type { TLSSocket } from 'node:tls';
import type { HostTlsSettings } from '../compile/table.ts';
import type { ClientCertificate, TlsFacts } from '../policy/request-head.ts';

/** What a handshake gave. What few ask for is asked of the TLS library when it is asked for. */
export class HandshakeFacts implements TlsFacts {
  readonly serverName: string;
  readonly version: string;
  readonly settings: HostTlsSettings | undefined;
  readonly client: ClientCertificate | undefined;
  readonly #socket: TLSSocket;
  #cipher: string | undefined;

  constructor(
    socket: TLSSocket,
    serverName: string,
    settings: HostTlsSettings | undefined,
    client: ClientCertificate | undefined,
  ) {
    this.#socket = socket;
    this.serverName = serverName;
    this.version = socket.getProtocol() ?? '';
    this.settings = settings;
    this.client = client;
  }

  get cipher(): string {
    // Undefined once the connection is gone.
    const cipher = this.#socket.getCipher() as { name: string } | undefined;
    this.#cipher ??= cipher?.name;
    return this.#cipher ?? '';
  }
}
