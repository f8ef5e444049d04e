import type { AcmeConnection, CallOptions } from './connection.ts';
import { type DirectoryMeta, metaOf } from './directory.ts';
import { AcmeError } from './errors.ts';
import { type AcmeAccount, accountSchema, locationOf, parseResource } from './resources.ts';

/** What the server says about itself: terms of service, whether an external account is needed, profiles, ARI. */
export async function directoryMeta(conn: AcmeConnection, options?: CallOptions): Promise<DirectoryMeta> {
  return metaOf(await conn.directory(options));
}

/**
 * Registers the account key, or finds the account it has (RFC 8555 section 7.3), and signs by that account from
 * then on. Agrees to the terms of service; binds the external account where one is configured. With
 * `onlyReturnExisting` nothing is made: ACME_ACCOUNT_DOES_NOT_EXIST where there is no account.
 * `contacts` are URLs, `mailto:` mostly; `email` is the short form for one address, '' or absent for none.
 */
export async function registerAccount(
  conn: AcmeConnection,
  options: CallOptions & {
    readonly email?: string | undefined;
    readonly contacts?: readonly string[] | undefined;
    readonly onlyReturnExisting?: boolean | undefined;
  } = {},
): Promise<AcmeAccount> {
  const { newAccount } = await conn.directory(options);
  const existing = options.onlyReturnExisting === true;
  const contact = contactsOf(options);
  const binding = existing ? undefined : conn.bindExternalAccount(newAccount);
  const answer = await conn.post({
    url: newAccount,
    payload: existing
      ? { onlyReturnExisting: true }
      : {
          termsOfServiceAgreed: true,
          ...(contact === undefined ? {} : { contact }),
          ...(binding === undefined ? {} : { externalAccountBinding: binding }),
        },
    action: 'register',
    doing: existing ? 'to find the account' : 'to register an account',
    wanted: [200, 201],
    withKey: true,
    signal: options.signal,
  });
  const account = parseResource(conn, accountSchema, answer, 'account');
  const uri = locationOf(conn, answer, 'account');
  conn.accountUrl = uri;
  return { ...account, uri, existed: answer.status === 200 };
}

/**
 * Changes the account's contacts, or deactivates it for ever (RFC 8555 sections 7.3.2 and 7.3.6); with neither, only
 * reads it. Throws ACME_UNAUTHORIZED for a deactivated account.
 */
export async function updateAccount(
  conn: AcmeConnection,
  options: CallOptions & {
    readonly email?: string | undefined;
    readonly contacts?: readonly string[] | undefined;
    readonly deactivate?: boolean | undefined;
  },
): Promise<AcmeAccount> {
  const uri = conn.accountUrl;
  if (uri === undefined)
    throw new AcmeError('ACME_ACCOUNT_UNKNOWN', 'The ACME account is not registered yet');
  const contact = contactsOf(options);
  const change = {
    ...(contact === undefined ? {} : { contact }),
    ...(options.deactivate === true ? { status: 'deactivated' } : {}),
  };
  const answer = await conn.post({
    url: uri,
    payload: Object.keys(change).length === 0 ? null : change,
    action: 'update_reg',
    doing: 'to change the account',
    wanted: [200, 202],
    signal: options.signal,
  });
  return { ...parseResource(conn, accountSchema, answer, 'account'), uri, existed: true };
}

function contactsOf(options: {
  readonly email?: string | undefined;
  readonly contacts?: readonly string[] | undefined;
}): readonly string[] | undefined {
  if (options.contacts !== undefined) return options.contacts;
  if (options.email === undefined) return undefined;
  return options.email === '' ? [] : [`mailto:${options.email}`];
}
