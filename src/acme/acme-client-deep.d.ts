/** The lower pieces of acme-client that Postern builds on; the package types its public Client alone. */
declare module 'acme-client/src/http.js' {
  import type { JsonWebKey, KeyObject } from 'node:crypto';

  interface SignedBody {
    payload: string;
    protected: string;
    signature: string;
  }

  class HttpClient {
    constructor(
      directoryUrl: string,
      accountKey: Buffer | KeyObject,
      externalAccountBinding?: { kid?: string; hmacKey?: string },
    );
    getJwk(): JsonWebKey;
    createSignedBody(
      url: string,
      payload: object | null,
      options: { nonce: string; kid?: string | null },
    ): SignedBody;
    createSignedHmacBody(hmacKey: string, url: string, payload: object, options: { kid: string }): SignedBody;
  }
  export default HttpClient;
}

declare module 'acme-client/src/util.js' {
  const util: {
    /** The URLs of a Link header (RFC 8288) with this relation. */
    parseLinkHeader(header: string, rel?: string): string[];
  };
  export default util;
}
