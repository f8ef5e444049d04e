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
  const encoded = basicForm.exec(fields.first('authorization') ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The fields of the 401 that asks for a password. */
export function basicChallenge({ realm }: Pick<BasicAuth, 'realm'>): readonly string[] {
  return ['WWW-Authenticate', `Basic realm="${realm.replaceAll(/[\\"]/g, '\\$&')}", charset="UTF-8"`];
}
