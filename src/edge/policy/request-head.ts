import type { RequestHost } from '../match/host.ts';

/** The head of a request as an engine read it: nothing decoded, nothing joined. */
export interface RequestHead {
  readonly method: string;
  /** The request target as it stood on the wire, a byte a character. */
  readonly target: string;
  /** `1.0` or `1.1`. */
  readonly httpVersion: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** The address of the peer, without a port. */
  readonly remoteAddress: string;
}

/** What was learnt from a head that nothing speaks against. */
export interface CheckedHead {
  readonly host: RequestHost;
  /** As the client wrote it, to be passed on. */
  readonly hostHeader: string;
  /** In its one canonical form. */
  readonly path: string;
  /** From the question mark on, or `''`. */
  readonly query: string;
  readonly body: 'none' | 'length' | 'chunked';
  /** The protocol that the client offers to change to, or undefined. */
  readonly upgrade: string | undefined;
  readonly expectsContinue: boolean;
  /** Header names, in lower case, that the Connection header takes out. */
  readonly connectionTokens: readonly string[];
}
