import type { HostTlsSettings } from '../compile/table.ts';
import type { HeaderFields } from '../exchange/header-fields.ts';
import type { RequestHost } from '../match/host.ts';

/** What is known of the connection that a request came by. One object for all requests of a connection. */
export interface ConnectionFacts {
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** The address of the client without a port: the peer's, or the one that PROXY protocol told. */
  readonly clientAddress: string;
  /** The peer is within the trusted ranges: its word on forwarded fields is taken. */
  readonly trusted: boolean;
  /** The port that the client came to, as clients see it. */
  readonly publicPort: number;
  readonly tls: TlsFacts | undefined;
}

/** What a handshake gave. */
export interface TlsFacts {
  /** In lower case; `''` where the client named none. */
  readonly serverName: string;
  readonly version: string;
  /** OpenSSL's name of the suite. */
  readonly cipher: string;
  /** How it was spoken, where that is not as the flags say. */
  readonly settings: HostTlsSettings | undefined;
  /** The client's certificate, where one was asked for. */
  readonly client: ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** The id of the ClientCertificatePolicy that it was judged by. */
  readonly policy: string;
  /** `NONE`, `SUCCESS`, or `FAILED:` and why in OpenSSL's words, as ingress-nginx passes it in `ssl-client-verify`. */
  readonly verified: string;
  readonly subject: string;
  readonly issuer: string;
  /** PEM; `''` for none. */
  readonly pem: string;
}

/** The head of a request that nothing speaks against: unambiguous, and read. */
export interface CheckedHead {
  readonly method: string;
  readonly protocol: '1.0' | '1.1' | '2';
  readonly connection: ConnectionFacts;
  readonly host: RequestHost;
  /** As the client wrote it, to be passed on. */
  readonly hostHeader: string;
  /** In its one canonical form. */
  readonly path: string;
  /** From the question mark on, or `''`. */
  readonly query: string;
  readonly fields: HeaderFields;
  readonly body: 'none' | 'length' | 'chunked';
  /** Bytes, where `body` is `length`. */
  readonly contentLength: number;
  /** The protocol that the client offers to change to, or undefined. */
  readonly upgrade: string | undefined;
  readonly expectsContinue: boolean;
  /** Header names, in lower case, that the Connection header takes out. */
  readonly connectionTokens: readonly string[];
}
