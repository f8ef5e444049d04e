import type { Secret } from '../../../api/kubernetes/secret.ts';
import { unusableHash } from '../../policy/passwords/verify-password.ts';
import type { BasicAuth } from '../../policy/route-policy.ts';
import { PrivateMaterial } from '../private-material.ts';
import { quoted } from '../quoted.ts';
import { secretText } from '../secret-text.ts';

/** The users of a Secret, with what is left out of it; or why there are none. */
export type UsersResult =
  | { readonly users: BasicAuth['users']; readonly notes: readonly string[] }
  | { readonly error: string };

/** Read once for each stored object and form. */
const known = {
  'auth-file': new WeakMap<Secret, UsersResult>(),
  'auth-map': new WeakMap<Secret, UsersResult>(),
};

/** Reads an htpasswd file in the key `auth`, or a user in each key (ingress-nginx, auth-secret-type). */
export function usersOf(secret: Secret, kind: 'auth-file' | 'auth-map'): UsersResult {
  const earlier = known[kind].get(secret);
  if (earlier !== undefined) return earlier;
  const result = read(secret, kind);
  known[kind].set(secret, result);
  return result;
}

function read(secret: Secret, kind: 'auth-file' | 'auth-map'): UsersResult {
  const lines = kind === 'auth-map' ? linesOfMap(secret) : linesOfFile(secret);
  if (lines === undefined) return { error: 'it has no key "auth" with an htpasswd file' };
  const users = new Map<string, PrivateMaterial>();
  const notes: string[] = [];
  for (const { user, hash } of lines) {
    const wrong = unusableHash(hash);
    if (wrong !== undefined) notes.push(`its user ${quoted(user)} is left out: ${wrong}`);
    else if (!users.has(user)) users.set(user, new PrivateMaterial(hash));
  }
  return users.size === 0 ? { error: notes[0] ?? 'it has no user' } : { users, notes };
}

interface Line {
  readonly user: string;
  readonly hash: string;
}

function linesOfFile(secret: Secret): Line[] | undefined {
  return secretText(secret, 'auth')
    ?.split('\n')
    .flatMap(line => {
      const [, user, hash] = /^([^:#]+):([^:]*)/.exec(line.trim()) ?? [];
      return user === undefined || hash === undefined ? [] : { user, hash: hash.trim() };
    });
}

function linesOfMap(secret: Secret): Line[] {
  const keys = new Set([...Object.keys(secret.data ?? {}), ...Object.keys(secret.stringData ?? {})]);
  return [...keys].map(user => ({ user, hash: secretText(secret, user)?.trim() ?? '' }));
}
