import type { AcmeConnection, CallOptions, SignedAnswer } from './connection.ts';
import {
  type AcmeAuthorization,
  type AcmeChallenge,
  authorizationSchema,
  challengeSchema,
  parseResource,
} from './resources.ts';

/** Reads an authorization with its challenges (RFC 8555 section 7.5). */
export async function getAuthorization(
  conn: AcmeConnection,
  url: string,
  options: CallOptions = {},
): Promise<AcmeAuthorization> {
  const answer = await conn.post({
    url,
    payload: null,
    action: 'get_authorization',
    doing: 'to read an authorization',
    signal: options.signal,
  });
  return authorizationOf(conn, url, answer);
}

/** Gives up an authorization (RFC 8555 section 7.5.2), so that it holds no place in the CA's limit of pending ones. */
export async function deactivateAuthorization(
  conn: AcmeConnection,
  url: string,
  options: CallOptions = {},
): Promise<AcmeAuthorization> {
  const answer = await conn.post({
    url,
    payload: { status: 'deactivated' },
    action: 'deactivate_authorization',
    doing: 'to deactivate an authorization',
    signal: options.signal,
  });
  return authorizationOf(conn, url, answer);
}

/** Reads a challenge. */
export async function getChallenge(
  conn: AcmeConnection,
  url: string,
  options: CallOptions = {},
): Promise<AcmeChallenge> {
  const answer = await conn.post({
    url,
    payload: null,
    action: 'get_challenge',
    doing: 'to read a challenge',
    signal: options.signal,
  });
  return challengeOf(conn, answer);
}

/**
 * Tells the server that a challenge is ready to be validated (RFC 8555 section 7.5.1). A challenge that is
 * no longer pending may be answered with its state or with ACME_MALFORMED: read it then.
 */
export async function acceptChallenge(
  conn: AcmeConnection,
  url: string,
  options: CallOptions = {},
): Promise<AcmeChallenge> {
  const answer = await conn.post({
    url,
    payload: {},
    action: 'accept_challenge',
    doing: 'to accept a challenge',
    signal: options.signal,
  });
  return challengeOf(conn, answer);
}

/** What an HTTP01 challenge with this token must be answered with (RFC 8555 section 8.1). */
export function keyAuthorization(conn: Pick<AcmeConnection, 'thumbprint'>, token: string): string {
  return `${token}.${conn.thumbprint}`;
}

function authorizationOf(conn: AcmeConnection, url: string, answer: SignedAnswer): AcmeAuthorization {
  const authorization = parseResource(conn, authorizationSchema, answer, 'authorization');
  conn.trust(authorization.challenges.map(challenge => challenge.url));
  return { ...authorization, url, retryAfterMs: answer.retryAfterMs };
}

function challengeOf(conn: AcmeConnection, answer: SignedAnswer): AcmeChallenge {
  return { ...parseResource(conn, challengeSchema, answer, 'challenge'), retryAfterMs: answer.retryAfterMs };
}
