const acmeChallengePrefix = '/.well-known/acme-challenge/';

/** Whether a path is one that an ACME authority asks for (RFC 8555 section 8.3): it is never redirected or guarded. */
export function isAcmeChallengePath(path: string): boolean {
  return path.startsWith(acmeChallengePrefix);
}
