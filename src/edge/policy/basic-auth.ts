import { createHmac } from 'node:crypto';
import type { CheckedHead } from './request-head.ts';
import type { BasicAuth } from './route-policy.ts';

/** What a client says of itself (RFC 7617 section 2). */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const basicForm = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/** The user and the password of a request, or undefined where it states none, or more than one. */
export function credentialsOf({ fields }: Pick<CheckedHead, 'fields'>): Credentials | undefined {
  let stated: string | undefined;
  for (let at = 0; at < fields.count; at += 1) {
    if (fields.name(at) !== 'authorization') continue;
    // The upstream could take another one for the client's than the one that was checked.
    if (stated !== undefined) return undefined;
    stated = fields.value(at);
  }
  const encoded = basicForm.exec(stated ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * The hash that stands in for that of a user who is not there: always the same for a name, in all workers, and drawn from
 * all of them, as they may take different times. Which it is, only they know who know the hashes.
 */
export function standInFor(user: string, users: BasicAuth['users']): string | undefined {
  const hashes = [...users.values()];
  const [first] = hashes;
  if (first === undefined) return undefined;
  const drawn = createHmac('sha256', first.reveal()).update(user).digest().readUInt32BE();
  return hashes[drawn % hashes.length]?.reveal();
}

/** The fields of the 401 that asks for a password. */
export function basicChallenge({ realm }: Pick<BasicAuth, 'realm'>): readonly string[] {
  return ['WWW-Authenticate', `Basic realm="${realm.replaceAll(/[\\"]/g, '\\$&')}", charset="UTF-8"`];
}
