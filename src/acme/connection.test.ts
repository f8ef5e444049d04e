import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { directoryMeta, registerAccount, updateAccount } from './account.ts';
import { type AcmeConnection, type AcmeOptions, openAcme } from './connection.ts';
import { AcmeError, endsOrder } from './errors.ts';
import { finalizeOrder, getOrder, newOrder } from './order.ts';
import { anAccountKey, problem, type ScriptedAcme, scriptedAcme } from './scripted-acme.testing.ts';
import type { AcmeRequestFacts } from './transport.ts';

const keyPem = anAccountKey();
const anEd25519Key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
const nowMs = Date.UTC(2026, 0, 1);

let server: ScriptedAcme;
const open: AcmeConnection[] = [];

beforeEach(async () => {
  server = await scriptedAcme();
  server.on('/order', () => ({
    status: 201,
    headers: { location: `${server.origin}/order/1` },
    body: anOrder(),
  }));
  server.on('/order/1', () => ({ body: anOrder() }));
});

afterEach(async () => {
  for (const conn of open.splice(0)) conn.close();
  await server.close();
});

function anOrder(more: object = {}): object {
  return {
    status: 'pending',
    expires: '2026-01-08T00:00:00Z',
    identifiers: [{ type: 'dns', value: 'www.example.com' }],
    authorizations: [`${server.origin}/authz/1`],
    finalize: `${server.origin}/finalize/1`,
    ...more,
  };
}

function connect(more: Partial<AcmeOptions> = {}): AcmeConnection {
  const conn = openAcme({ directoryUrl: server.directoryUrl, accountKeyPem: keyPem, ...more });
  open.push(conn);
  return conn;
}

/** A connection whose account is known, so that steps can be called at once. */
function connected(more: Partial<AcmeOptions> = {}): AcmeConnection {
  return connect({ accountUrl: `${server.origin}/account/1`, ...more });
}

const oneName = { identifiers: [{ type: 'dns', value: 'www.example.com' }] } as const;

async function failureOf(work: Promise<unknown>): Promise<AcmeError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AcmeError) return error;
  throw new Error(`no AcmeError but ${String(error)}`);
}

describe('a connection to an ACME server', () => {
  it('asks for one nonce and then takes them from the answers, over one connection', async () => {
    const conn = connect();
    await registerAccount(conn, { email: 'ops@example.com' });
    for (let i = 0; i < 5; i += 1) await getOrder(conn, (await newOrder(conn, oneName)).url);

    expect(server.seen.map(request => request.path)).toEqual([
      '/directory',
      '/nonce',
      '/account',
      ...Array.from({ length: 5 }, () => ['/order', '/order/1']).flat(),
    ]);
    expect(server.connections()).toBe(1);
  });

  it('signs newAccount with the key and all else with the account', async () => {
    const conn = connect();
    const account = await registerAccount(conn, { email: 'ops@example.com' });
    const order = await newOrder(conn, {
      ...oneName,
      profile: 'shortlived',
      replaces: 'a.b',
      notAfter: nowMs,
    });

    const [registered, ordered] = server.seen.slice(2);
    expect(account).toMatchObject({ uri: `${server.origin}/account/1`, status: 'valid' });
    expect(registered?.header).toMatchObject({
      alg: 'ES256',
      jwk: { kty: 'EC' },
      url: `${server.origin}/account`,
    });
    expect(registered?.payload).toEqual({ termsOfServiceAgreed: true, contact: ['mailto:ops@example.com'] });
    expect(ordered?.header).toMatchObject({ kid: account.uri, url: `${server.origin}/order` });
    expect(ordered?.payload).toEqual({
      ...oneName,
      profile: 'shortlived',
      replaces: 'a.b',
      notAfter: '2026-01-01T00:00:00Z',
    });
    expect(order).toMatchObject({
      url: `${server.origin}/order/1`,
      status: 'pending',
      retryAfterMs: undefined,
    });
  });

  it('binds an external account to new registrations, and not to a search for an existing one', async () => {
    const conn = connect({ externalAccountBinding: { keyId: 'kid-1', macKey: 'c2VjcmV0LXNlY3JldA' } });
    await registerAccount(conn, { onlyReturnExisting: true });
    await registerAccount(conn);

    const [existing, made] = server.seen.slice(2);
    expect(existing?.payload).toEqual({ onlyReturnExisting: true });
    const { externalAccountBinding: binding } = (made?.payload ?? {}) as {
      externalAccountBinding?: { protected: string };
    };
    const header: unknown = JSON.parse(Buffer.from(binding?.protected ?? '', 'base64url').toString());
    expect(header).toEqual({ alg: 'HS256', url: `${server.origin}/account`, kid: 'kid-1' });
  });

  it.each(['P-256', 'P-384', 'P-521'])('signs with an ECDSA key on %s', async curve => {
    await registerAccount(connect({ accountKeyPem: anAccountKey(curve) }));
    expect(server.seen.at(-1)?.header.alg).toBe(
      { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }[curve],
    );
  });

  it('survives twenty refused nonces in a row, and gives up after a bound', async () => {
    const conn = connected();
    server.refuseNonces(20);
    await newOrder(conn, oneName);
    expect(server.count('/order')).toBe(21);
    expect(server.count('/nonce')).toBe(1);

    server.refuseNonces(1_000);
    expect(await failureOf(newOrder(conn, oneName))).toMatchObject({
      code: 'ACME_BAD_NONCE',
      retry: 'backoff',
    });
  });

  it('fetches a nonce where an answer brought none', async () => {
    const conn = connected();
    server.on('/order/1', () => ({ body: anOrder(), withoutNonce: true }));
    await getOrder(conn, `${server.origin}/order/1`);
    await getOrder(conn, `${server.origin}/order/1`);
    expect(server.count('/nonce')).toBe(2);
  });

  it('serves many callers at once, each nonce used once', async () => {
    const conn = connected();
    await Promise.all(Array.from({ length: 40 }, () => newOrder(conn, oneName)));
    expect(server.count('/directory')).toBe(1);
    expect(server.count('/order')).toBe(40);
    await Promise.all(Array.from({ length: 40 }, () => newOrder(conn, oneName)));
    expect(server.count('/nonce')).toBeLessThanOrEqual(40);
  });

  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ])('waits out a 429 with Retry-After %j', async (header, retryAfterMs) => {
    const conn = connected({ clock: manualClock(nowMs) });
    server.on('/order', {
      status: 429,
      headers: { 'retry-after': header },
      body: problem('rateLimited', 'too many'),
    });
    expect(await failureOf(newOrder(conn, oneName))).toMatchObject({
      code: 'ACME_RATE_LIMITED',
      retry: 'after',
      retryAfterMs,
      status: 429,
    });
  });

  it("reads the time out of Let's Encrypt's rate limit where there is no header", async () => {
    const conn = connected({ clock: manualClock(nowMs) });
    const detail = 'too many certificates already issued, retry after 2026-01-01 01:00:00 UTC: see https://x';
    server.on('/order', { status: 429, body: problem('rateLimited', detail) });
    expect(await failureOf(newOrder(conn, oneName))).toMatchObject({
      retry: 'after',
      retryAfterMs: 3_600_000,
    });
  });

  it('gives Retry-After of a poll', async () => {
    server.on('/order/1', () => ({
      headers: { 'retry-after': '3' },
      body: anOrder({ status: 'processing' }),
    }));
    const order = await getOrder(connected(), `${server.origin}/order/1`);
    expect(order).toMatchObject({ status: 'processing', retryAfterMs: 3_000 });
  });

  it.each([
    [500, 'serverInternal', 'ACME_SERVER', 'backoff', false],
    [400, 'rejectedIdentifier', 'ACME_REJECTED_IDENTIFIER', 'never', true],
    [403, 'caa', 'ACME_CAA', 'never', true],
    [400, 'malformed', 'ACME_MALFORMED', 'never', true],
    [404, 'malformed', 'ACME_NOT_FOUND', 'never', true],
    [403, 'unauthorized', 'ACME_UNAUTHORIZED', 'backoff', false],
    [400, 'accountDoesNotExist', 'ACME_ACCOUNT_DOES_NOT_EXIST', 'backoff', false],
    [409, 'alreadyReplaced', 'ACME_ALREADY_REPLACED', 'never', false],
    [403, 'orderNotReady', 'ACME_ORDER_NOT_READY', 'backoff', false],
    [400, 'somethingNew', 'ACME_REFUSED', 'backoff', false],
  ] as const)('turns %d %s into %s', async (status, type, code, retry, ends) => {
    server.on('/order', { status, body: problem(type, 'because') });
    const error = await failureOf(newOrder(connected(), oneName));
    expect(error).toMatchObject({ code, retry, status, problemType: type });
    expect(endsOrder(error)).toBe(ends);
    expect(error.message).toContain(`answered ${status} to make an order: ${type}: because`);
  });

  it('names each identifier that was refused', async () => {
    const refused = problem('rejectedIdentifier', 'some names', {
      subproblems: [
        {
          type: 'urn:ietf:params:acme:error:caa',
          detail: 'CAA forbids',
          identifier: { type: 'dns', value: 'a.test' },
        },
      ],
    });
    server.on('/order', { status: 400, body: refused });
    const error = await failureOf(newOrder(connected(), oneName));
    expect(error.subproblems).toEqual([{ identifier: 'a.test', type: 'caa', detail: 'CAA forbids' }]);
    expect(error.message).toContain('(a.test: caa: CAA forbids)');
  });

  it('makes the detail fit for a status', async () => {
    const token = 'A'.repeat(22);
    const detail = `line\r\nbreak\u0007 ${token}.${'B'.repeat(43)} ${'x'.repeat(1_000)}`;
    server.on('/order', { status: 400, body: problem('malformed', detail) });
    const { problem: found } = await failureOf(newOrder(connected(), oneName));
    expect(found?.detail).toMatch(/^line break <key authorization> x+\.\.\.$/);
    expect(found?.detail).toHaveLength(500);
  });

  it('waits for the server that answers 503 with Retry-After', async () => {
    server.on('/order', {
      status: 503,
      headers: { 'retry-after': '7', 'content-type': 'text/html' },
      body: '<h1>',
    });
    const error = await failureOf(newOrder(connected(), oneName));
    expect(error).toMatchObject({ code: 'ACME_SERVER', retry: 'after', retryAfterMs: 7_000 });
    expect(error.message).not.toContain('<h1>');
  });

  it.each([
    [{ body: '{"status":"pen' }, 'ACME_BAD_ANSWER'],
    [{ body: {}, fault: 'truncate' }, 'ACME_BAD_ANSWER'],
    [{ body: 'x'.repeat(300 * 1024) }, 'ACME_BAD_ANSWER'],
    [{ body: { status: 'pending' } }, 'ACME_BAD_ANSWER'],
    [{ fault: 'reset' }, 'ACME_UNREACHABLE'],
    [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'ACME_REDIRECTED'],
    [{ status: 403, headers: { 'content-type': 'text/html' }, body: 'a firewall' }, 'ACME_UNEXPECTED_STATUS'],
  ] as const)('holds a damaged answer (%j) for a passing one', async (reply, code) => {
    server.on('/order/1', reply);
    const error = await failureOf(getOrder(connected(), `${server.origin}/order/1`));
    expect(error).toMatchObject({ code, retry: 'backoff' });
    expect(endsOrder(error)).toBe(false);
  });

  it('ends a request at its deadline', async () => {
    const clock = manualClock(nowMs);
    server.on('/order', { fault: 'hang' });
    const arrived = server.arrival('/order');
    const ended = failureOf(newOrder(connected({ clock }), oneName));
    await arrived;
    clock.advance(15_000);
    expect(await ended).toMatchObject({ code: 'ACME_TIMEOUT', retry: 'backoff' });
  });

  it("ends a request at the caller's abort, with the caller's reason", async () => {
    server.on('/order', { fault: 'hang' });
    const abort = new AbortController();
    const arrived = server.arrival('/order');
    const ended = newOrder(connected(), oneName, { signal: abort.signal });
    await arrived;
    abort.abort(new Error('shutting down'));
    await expect(ended).rejects.toThrow('shutting down');
  });

  it('takes a directory that lacks a field for a passing fault, and recovers', async () => {
    const conn = connected();
    server.on('/directory', { body: { newNonce: `${server.origin}/nonce` } });
    const error = await failureOf(newOrder(conn, oneName));
    expect(error).toMatchObject({ code: 'ACME_BAD_ANSWER', retry: 'backoff' });
    expect(error.message).toContain('"newAccount"');

    server.on('/directory', {
      body: {
        newNonce: `${server.origin}/nonce`,
        newAccount: `${server.origin}/account`,
        newOrder: `${server.origin}/order`,
      },
    });
    await expect(newOrder(conn, oneName)).resolves.toMatchObject({ status: 'pending' });
  });

  it('reads the directory again after an hour, and uses the old one while there is no new one', async () => {
    const clock = manualClock(nowMs);
    const conn = connected({ clock });
    await newOrder(conn, oneName);
    clock.advance(3_600_001);
    server.on('/directory', { status: 500, body: 'down' });
    await newOrder(conn, oneName);
    expect(server.count('/directory')).toBe(2);
    expect(server.count('/order')).toBe(2);
  });

  it('tells what the server says about itself', async () => {
    server.on('/directory', {
      body: {
        newNonce: `${server.origin}/nonce`,
        newAccount: `${server.origin}/account`,
        newOrder: `${server.origin}/order`,
        renewalInfo: `${server.origin}/ari`,
        meta: {
          termsOfService: 'https://example.com/tos',
          externalAccountRequired: true,
          profiles: { classic: 'x' },
        },
      },
    });
    expect(await directoryMeta(connect())).toEqual({
      termsOfService: 'https://example.com/tos',
      externalAccountRequired: true,
      profiles: ['classic'],
      renewalInfo: `${server.origin}/ari`,
    });
  });

  it('calls no URL of another origin than the server has named', async () => {
    const elsewhere = await scriptedAcme();
    try {
      const error = await failureOf(getOrder(connected(), `${elsewhere.origin}/order/1`));
      expect(error).toMatchObject({ code: 'ACME_INVALID_URL', retry: 'never' });
      expect(elsewhere.seen).toEqual([]);
    } finally {
      await elsewhere.close();
    }
  });

  it('goes on over a new connection where the server closed the idle one', async () => {
    const conn = connected();
    server.on('/order/1', () => ({ body: anOrder(), headers: { connection: 'close' } }));
    await getOrder(conn, `${server.origin}/order/1`);
    await getOrder(conn, `${server.origin}/order/1`);
    expect(server.count('/order/1')).toBe(2);
  });

  it('reports each request for the metrics', async () => {
    const facts: AcmeRequestFacts[] = [];
    await newOrder(connected({ onRequest: fact => facts.push(fact) }), oneName);
    expect(facts.map(({ method, scheme, action, status }) => [method, scheme, action, status])).toEqual([
      ['GET', 'http', 'get_directory', 200],
      ['HEAD', 'http', 'get_nonce', 204],
      ['POST', 'http', 'authorize_order', 201],
    ]);
  });

  it.each([
    [{ accountKeyPem: anEd25519Key }, 'ACME_UNSUPPORTED_KEY', 'ed25519'],
    [{ accountKeyPem: 'rubbish' }, 'ACME_UNSUPPORTED_KEY', 'no PEM'],
    [{ directoryUrl: 'ldap://x' }, 'ACME_INVALID_URL', 'ldap://x'],
    [
      { caBundlePem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      'ACME_INVALID_CA_BUNDLE',
      'caBundle',
    ],
  ])('refuses settings that cannot work: %j', (more, code, quoted) => {
    expect(() => connect(more)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(quoted) }),
    );
  });

  it('asks for a registration before any other step', async () => {
    expect(await failureOf(newOrder(connect(), oneName))).toMatchObject({ code: 'ACME_ACCOUNT_UNKNOWN' });
    expect(await failureOf(updateAccount(connect(), {}))).toMatchObject({ code: 'ACME_ACCOUNT_UNKNOWN' });
  });

  it('sends a CSR in PEM and in DER alike', async () => {
    const conn = connected();
    const der = Buffer.from('not really a CSR, but bytes');
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    server.on('/finalize/1', () => ({ body: anOrder({ status: 'processing' }) }));
    await finalizeOrder(conn, `${server.origin}/finalize/1`, pem);
    await finalizeOrder(conn, `${server.origin}/finalize/1`, der);
    const sent = server.seen
      .filter(request => request.path === '/finalize/1')
      .map(request => request.payload);
    expect(sent).toEqual([{ csr: der.toString('base64url') }, { csr: der.toString('base64url') }]);
  });
});
