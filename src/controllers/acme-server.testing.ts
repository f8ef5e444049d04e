import { isIP } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  type ScriptedAcme,
  type ScriptedReply,
  type SeenRequest,
  scriptedAcme,
} from '../acme/scripted-acme.testing.ts';
import { createAuthority, type TestAuthority } from './authority.testing.ts';

/** An ACME server that does what RFC 8555 section 7 says, at once, and signs. */
export interface TestAcmeServer {
  readonly scripted: ScriptedAcme;
  readonly directoryUrl: string;
  readonly authority: TestAuthority;
  /** The hosts of every order that was made, in order. */
  readonly orders: (readonly string[])[];
  /** What each order said that its certificate replaces. */
  readonly replaced: (string | undefined)[];
  /** Hosts whose validation fails. */
  readonly refusedHosts: Set<string>;
  /** Hosts whose validation goes on until `validate` is called. */
  readonly slowHosts: Set<string>;
  /** Ends the validations of a slow host that are under way. */
  validate(host: string): void;
  /** Hosts whose authorization is valid from the start. */
  readonly provedHosts: Set<string>;
  /** What answers a request for a new order. */
  newOrder(request: SeenRequest): ScriptedReply;
}

interface ServerOrder {
  status: string;
  readonly hosts: readonly string[];
  readonly challenges: Map<string, string>;
  chain?: string;
}

/** Starts one on loopback, for one test. `nowMs` is the time that its certificates begin at. */
export async function anAcmeServer(nowMs: () => number): Promise<TestAcmeServer> {
  const scripted = await scriptedAcme();
  onTestFinished(() => scripted.close());
  const { origin } = scripted;
  const authority = await createAuthority('Scripted CA', nowMs());
  const orders: ServerOrder[] = [];
  const replaced: (string | undefined)[] = [];
  const refusedHosts = new Set<string>();
  const slowHosts = new Set<string>();
  const provedHosts = new Set<string>();

  const orderReply = (id: number, order: ServerOrder): ScriptedReply => ({
    headers: { location: `${origin}/order/${id}` },
    body: {
      status: order.status,
      identifiers: order.hosts.map(value => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      authorizations: order.hosts.map(host => `${origin}/authz/${id}/${host}`),
      finalize: `${origin}/finalize/${id}`,
      ...(order.chain !== undefined && { certificate: `${origin}/cert/${id}` }),
    },
  });
  const challengeBody = (id: number, order: ServerOrder, host: string): object => ({
    type: 'http-01',
    url: `${origin}/challenge/${id}/${host}`,
    status: order.challenges.get(host),
    token: tokenFor(id, host),
    ...(order.challenges.get(host) === 'invalid' && {
      error: { type: 'urn:ietf:params:acme:error:unauthorized', detail: 'not what was expected' },
    }),
  });

  function open(id: number, order: ServerOrder): void {
    scripted.on(`/order/${id}`, () => orderReply(id, order));
    for (const host of order.hosts) {
      scripted.on(`/authz/${id}/${host}`, () => ({
        body: {
          status: order.challenges.get(host),
          identifier: { type: isIP(host) === 0 ? 'dns' : 'ip', value: host.replace(/^\*\./, '') },
          ...(host.startsWith('*.') && { wildcard: true }),
          challenges: [challengeBody(id, order, host)],
        },
      }));
      scripted.on(`/challenge/${id}/${host}`, ({ payload }) => {
        if (payload !== null) {
          if (order.challenges.get(host) !== 'pending') return notPending;
          if (slowHosts.has(host)) order.challenges.set(host, 'processing');
          else settle(order, host);
        }
        return { body: challengeBody(id, order, host) };
      });
    }
    scripted.on(`/finalize/${id}`, ({ payload }) => {
      if (order.status !== 'ready') return notReady;
      order.status = 'processing';
      const csr = Buffer.from((payload as { csr: string }).csr, 'base64url');
      void sign(id, order, csr);
      return orderReply(id, order);
    });
  }

  function settle(order: ServerOrder, host: string): void {
    order.challenges.set(host, refusedHosts.has(host) ? 'invalid' : 'valid');
    if (refusedHosts.has(host)) order.status = 'invalid';
    else if ([...order.challenges.values()].every(status => status === 'valid')) order.status = 'ready';
  }

  async function sign(id: number, order: ServerOrder, csr: Buffer): Promise<void> {
    const body = await authority.sign(csr, nowMs());
    order.chain = body;
    order.status = 'valid';
    const headers = { 'content-type': 'application/pem-certificate-chain' };
    scripted.on(`/cert/${id}`, { headers, body });
  }

  function newOrder({ payload }: SeenRequest): ScriptedReply {
    const { identifiers, replaces } = payload as { identifiers: { value: string }[]; replaces?: string };
    const hosts = identifiers.map(({ value }) => value);
    const states = hosts.map(host => [host, provedHosts.has(host) ? 'valid' : 'pending'] as const);
    const status = states.every(([, state]) => state === 'valid') ? 'ready' : 'pending';
    const order: ServerOrder = { status, hosts, challenges: new Map(states) };
    orders.push(order);
    replaced.push(replaces);
    open(orders.length, order);
    return { status: 201, ...orderReply(orders.length, order) };
  }
  scripted.on('/order', newOrder);
  return {
    scripted,
    directoryUrl: scripted.directoryUrl,
    authority,
    get orders() {
      return orders.map(({ hosts }) => hosts);
    },
    replaced,
    refusedHosts,
    slowHosts,
    validate(host) {
      for (const order of orders) if (order.challenges.get(host) === 'processing') settle(order, host);
    },
    provedHosts,
    newOrder,
  };
}

const notReady: ScriptedReply = {
  status: 403,
  body: { type: 'urn:ietf:params:acme:error:orderNotReady', detail: 'not ready' },
};

const notPending: ScriptedReply = {
  status: 400,
  body: { type: 'urn:ietf:params:acme:error:malformed', detail: 'the challenge is not pending' },
};

function tokenFor(id: number, host: string): string {
  return Buffer.from(`token-of-order-${id}-${host}`).toString('base64url');
}
