import { rfc3339 } from '../core/clock.ts';
import type { AcmeConnection, CallOptions, SignedAnswer } from './connection.ts';
import { AcmeError } from './errors.ts';
import type { AcmeIdentifier } from './problem.ts';
import { type AcmeOrder, locationOf, orderSchema, parseResource } from './resources.ts';

/** What is ordered. */
export interface NewOrder {
  readonly identifiers: readonly AcmeIdentifier[];
  /** The end of validity to ask for, in milliseconds since the epoch. Many CAs refuse it. */
  readonly notAfter?: number | undefined;
  /** A name out of the directory's profiles. */
  readonly profile?: string | undefined;
  /** The CertID of the certificate this one takes the place of (RFC 9773 section 5). */
  readonly replaces?: string | undefined;
}

/**
 * Makes an order (RFC 8555 section 7.4). Throws, besides the transient errors, ACME_REJECTED_IDENTIFIER,
 * ACME_UNSUPPORTED_IDENTIFIER, ACME_CAA (with subproblems per identifier), ACME_RATE_LIMITED, ACME_INVALID_PROFILE,
 * ACME_ALREADY_REPLACED (order again without `replaces`).
 */
export async function newOrder(
  conn: AcmeConnection,
  order: NewOrder,
  options: CallOptions = {},
): Promise<AcmeOrder> {
  const directory = await conn.directory(options);
  const answer = await conn.post({
    url: directory.newOrder,
    payload: {
      identifiers: order.identifiers,
      ...(order.notAfter === undefined ? {} : { notAfter: rfc3339(order.notAfter) }),
      ...(order.profile === undefined ? {} : { profile: order.profile }),
      ...(order.replaces === undefined ? {} : { replaces: order.replaces }),
    },
    action: 'authorize_order',
    doing: 'to make an order',
    wanted: [201],
    names: order.identifiers.map(({ value }) => value),
    signal: options.signal,
  });
  return orderOf(conn, locationOf(conn, answer, 'order'), answer);
}

/** Reads an order. Throws ACME_NOT_FOUND for one that the server has forgotten. */
export async function getOrder(
  conn: AcmeConnection,
  url: string,
  options: CallOptions = {},
): Promise<AcmeOrder> {
  const answer = await conn.post({
    url,
    payload: null,
    action: 'get_order',
    doing: 'to read an order',
    signal: options.signal,
  });
  return orderOf(conn, url, answer);
}

/**
 * Sends the CSR, DER or PEM, of an order that is ready (RFC 8555 section 7.4). Throws ACME_ORDER_NOT_READY where it is
 * not, or no more, ready: read the order then, it may be valid. ACME_BAD_CSR ends the order. Servers that leave out
 * the Location give an order whose `url` is `orderUrl`.
 */
export async function finalizeOrder(
  conn: AcmeConnection,
  finalizeUrl: string,
  csr: Uint8Array | string,
  options: CallOptions & {
    readonly orderUrl?: string | undefined;
    /** The names of the order: see `SignedRequest.names`. */
    readonly names?: readonly string[] | undefined;
  } = {},
): Promise<AcmeOrder> {
  const answer = await conn.post({
    url: finalizeUrl,
    payload: { csr: derOf(csr).toString('base64url') },
    action: 'create_order_cert',
    doing: 'to finalize an order',
    names: options.names,
    signal: options.signal,
  });
  return orderOf(conn, options.orderUrl ?? answer.headers.location ?? '', answer);
}

function orderOf(conn: AcmeConnection, url: string, answer: SignedAnswer): AcmeOrder {
  const order = parseResource(conn, orderSchema, answer, 'order');
  conn.trust([url, ...order.authorizations, order.finalize, order.certificate]);
  return { ...order, url, retryAfterMs: answer.retryAfterMs };
}

function derOf(csr: Uint8Array | string): Buffer {
  if (typeof csr !== 'string') return Buffer.from(csr);
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([^-]+)-----END/.exec(csr)?.[1];
  if (body === undefined)
    throw new AcmeError('ACME_BAD_CSR', 'The certificate signing request is neither DER nor PEM');
  return Buffer.from(body, 'base64');
}
