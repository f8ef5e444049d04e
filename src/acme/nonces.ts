/** Unused anti-replay nonces of one ACME server (RFC 8555 section 6.5). Each is given out once. */
export interface NoncePool {
  put(nonce: string | undefined): void;
  take(): string | undefined;
}

/** More than this many requests are hardly ever in flight at once; older nonces go stale anyway. */
const mostKept = 64;

/** An empty pool. The newest nonce is given out first: it is the least likely to have expired. */
export function createNoncePool(): NoncePool {
  const nonces: string[] = [];
  return {
    put(nonce) {
      // Base64url by the RFC; anything else would be refused at the next request.
      if (nonce === undefined || !/^[\w-]{1,512}$/.test(nonce)) return;
      nonces.push(nonce);
      if (nonces.length > mostKept) nonces.shift();
    },
    take: () => nonces.pop(),
  };
}
