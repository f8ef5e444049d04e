import { canonicalHost, isToken } from './challenge-host.ts';

/** One challenge that is presented. */
export interface PresentedChallenge {
  /** Whose it is: the challenge's uid. Two challenges may share host and token, where the CA reuses them. */
  readonly owner: string;
  readonly host: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

/** What this process answers to HTTP01 validations, in memory. */
export interface Responder {
  /** From now on the token is answered for its host; replaces what the owner had before. */
  put(presented: PresentedChallenge): void;
  /** From now on the owner's token is answered no more, unless it is another's too. */
  drop(owner: string): void;
  /** The key authorization for a token that is presented now, if `hostHeader` is the host it is for. */
  answer(hostHeader: string, token: string): string | undefined;
  /** How many challenges are presented. */
  readonly size: number;
}

export function createResponder(): Responder {
  const byOwner = new Map<string, { key: string; keyAuthorization: string }>();
  const ownersOf = new Map<string, Set<string>>();

  const keyFor = (host: string, token: string): string => `${host} ${token}`;

  function drop(owner: string): void {
    const held = byOwner.get(owner);
    if (held === undefined) return;
    byOwner.delete(owner);
    const owners = ownersOf.get(held.key);
    owners?.delete(owner);
    if (owners?.size === 0) ownersOf.delete(held.key);
  }

  return {
    put({ owner, host, token, keyAuthorization }) {
      const canonical = canonicalHost(host);
      if (canonical === undefined || !isToken(token)) return;
      const key = keyFor(canonical, token);
      drop(owner);
      byOwner.set(owner, { key, keyAuthorization });
      const owners = ownersOf.get(key) ?? new Set();
      ownersOf.set(key, owners.add(owner));
    },
    drop,
    answer(hostHeader, token) {
      const host = canonicalHost(hostHeader);
      if (host === undefined) return undefined;
      // The last that was put: where owners share a token, the account is the same, and so is the answer.
      const owner = [...(ownersOf.get(keyFor(host, token)) ?? [])].at(-1);
      return owner === undefined ? undefined : byOwner.get(owner)?.keyAuthorization;
    },
    get size() {
      return byOwner.size;
    },
  };
}
