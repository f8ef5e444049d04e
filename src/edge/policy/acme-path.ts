/** The path and a token, of which base64url has the letters; nothing that a pattern could begin with. */
const acmeChallenge = /^\/\.well-known\/acme-challenge\/[A-Za-z0-9_-]*$/;

/** Whether a path is one that an ACME authority asks for (RFC 8555 section 8.3): it is never redirected or guarded. */
export function isAcmeChallengePath(path: string): boolean {
  return acmeChallenge.test(path);
}
