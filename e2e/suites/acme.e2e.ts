import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directoryMeta, registerAccount, updateAccount } from '../../src/acme/account.ts';
import {
  acceptChallenge,
  deactivateAuthorization,
  getAuthorization,
  getChallenge,
  keyAuthorization,
} from '../../src/acme/authorization.ts';
import { downloadCertificate, revokeCertificate } from '../../src/acme/certificate.ts';
import { type AcmeConnection, type AcmeOptions, openAcme } from '../../src/acme/connection.ts';
import { isAcmeError } from '../../src/acme/errors.ts';
import { finalizeOrder, getOrder, newOrder } from '../../src/acme/order.ts';
import { topmostIssuer } from '../../src/acme/pem-chain.ts';
import type { AcmeIdentifier } from '../../src/acme/problem.ts';
import type { AcmeRequestFacts } from '../../src/acme/transport.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generatePrivateKey } from '../../src/pki/private-key.ts';
import { createProbe } from '../../src/solvers/http01/probe.ts';
import { createHostResolver } from '../../src/solvers/http01/resolve-host.ts';
import { createResponder } from '../../src/solvers/http01/responder.ts';
import { type SolverListener, startSolverListener } from '../../src/solvers/http01/solver-listener.ts';
import { type Pebble, type PebbleOptions, startPebble } from '../harness/pebble.ts';

const responder = createResponder();
let listener: SolverListener;
const running: Pebble[] = [];
const open: AcmeConnection[] = [];
let dir: string;
let httpPort: number;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-acme-'));
  listener = await startSolverListener({ responder, host: '127.0.0.1', port: 0, logger: silentLogger });
  httpPort = listener.port;
});

afterAll(async () => {
  for (const conn of open) conn.close();
  for (const pebble of running) await pebble.stop();
  await listener.close();
  await rm(dir, { recursive: true });
});

async function pebbleWith(options: Partial<PebbleOptions> = {}): Promise<Pebble> {
  const pebble = await startPebble({
    dir: join(dir, `pebble-${running.length}`),
    httpPort,
    tlsPort: 1,
    dnsDefault: '127.0.0.1',
    ...options,
  });
  running.push(pebble);
  return pebble;
}

function anEcKey(namedCurve = 'P-256'): string {
  return generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'pkcs8', format: 'pem' });
}

function connect(pebble: Pebble, more: Partial<AcmeOptions> = {}): AcmeConnection {
  const { directoryUrl, rootCaPem } = pebble;
  const conn = openAcme({ directoryUrl, accountKeyPem: anEcKey(), caBundlePem: rootCaPem, ...more });
  open.push(conn);
  return conn;
}

async function csrFor(identifiers: readonly AcmeIdentifier[]): Promise<string> {
  const named = (type: AcmeIdentifier['type']): string[] =>
    identifiers.filter(identifier => identifier.type === type).map(({ value }) => value);
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  return createCsr({ key, dnsNames: named('dns'), ipAddresses: named('ip') });
}

async function until<T extends { status: string }>(
  read: () => Promise<T>,
  ...statuses: string[]
): Promise<T> {
  for (;;) {
    const resource = await read();
    if (statuses.includes(resource.status)) return resource;
    await new Promise(resolve => {
      setTimeout(resolve, 20);
    });
  }
}

/** The whole way of RFC 8555 section 7; gives the URL of the certificate. */
async function issue(conn: AcmeConnection, identifiers: readonly AcmeIdentifier[]): Promise<string> {
  const order = await newOrder(conn, { identifiers });
  for (const url of order.authorizations) {
    const { challenges, identifier } = await getAuthorization(conn, url);
    const challenge = challenges.find(offered => offered.type === 'http-01');
    if (challenge?.token === undefined) throw new Error('no http-01 offered');
    const { token } = challenge;
    const target = { host: identifier.value, token, keyAuthorization: keyAuthorization(conn, token) };
    responder.put({ owner: challenge.url, ...target });
    const probe = createProbe({
      resolve: createHostResolver([running.at(-1)?.dnsAddress ?? '']),
      port: httpPort,
      clock: systemClock,
    });
    expect(await probe(target, AbortSignal.timeout(10_000))).toEqual({ found: true });
    await acceptChallenge(conn, challenge.url);
    await until(() => getAuthorization(conn, url), 'valid');
    expect(await getChallenge(conn, challenge.url)).toMatchObject({ status: 'valid' });
  }
  await until(() => getOrder(conn, order.url), 'ready');
  const csr = await csrFor(identifiers);
  const finalized = await finalizeOrder(conn, order.finalize, csr, { orderUrl: order.url });
  expect(finalized.url).toBe(order.url);
  const valid = await until(() => getOrder(conn, order.url), 'valid');
  if (valid.certificate === undefined) throw new Error('a valid order without certificate');
  return valid.certificate;
}

const site = { type: 'dns', value: 'www.example.com' } as const;

describe('ACME steps against Pebble', () => {
  it('issues with one round trip a request: a single nonce is ever asked for', async () => {
    const pebble = await pebbleWith();
    const facts: AcmeRequestFacts[] = [];
    const conn = connect(pebble, { onRequest: fact => facts.push(fact) });
    const account = await registerAccount(conn, { email: 'ops@example.com' });
    const certificate = await issue(conn, [site, { type: 'dns', value: 'example.com' }]);
    const { chainPem } = await downloadCertificate(conn, certificate);

    expect(account).toMatchObject({ status: 'valid', contact: ['mailto:ops@example.com'] });
    expect(new X509Certificate(chainPem).checkHost('www.example.com')).toBe('www.example.com');
    expect(facts.filter(fact => fact.method !== 'POST').map(fact => fact.action)).toEqual([
      'get_directory',
      'get_nonce',
    ]);
    expect(facts.every(fact => fact.status < 400)).toBe(true);

    const again = await registerAccount(connect(pebble), { onlyReturnExisting: true }).catch(
      (e: unknown) => e,
    );
    expect(isAcmeError(again, 'ACME_ACCOUNT_DOES_NOT_EXIST')).toBe(true);
  });

  it('issues although half of all nonces are refused', async () => {
    const conn = connect(await pebbleWith({ nonceRejectPercent: 50 }));
    await registerAccount(conn);
    const certificate = await issue(conn, [site]);
    expect((await downloadCertificate(conn, certificate)).chainPem).toContain('BEGIN CERTIFICATE');
  });

  it.each(['P-384', 'P-521', 'RSA'])('signs with an account key of type %s', async type => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const accountKeyPem = type === 'RSA' ? rsa.export({ type: 'pkcs1', format: 'pem' }) : anEcKey(type);
    const pebble = running[0] ?? (await pebbleWith());
    const conn = connect(pebble, { accountKeyPem });
    const account = await registerAccount(conn);
    // The same key finds the same account.
    const found = await registerAccount(connect(pebble, { accountKeyPem }), { onlyReturnExisting: true });
    expect(found.uri).toBe(account.uri);
    expect(await downloadCertificate(conn, await issue(conn, [site]))).toBeDefined();
  });

  it('takes the preferred chain where there are several, revokes, and revokes again', async () => {
    const conn = connect(await pebbleWith({ env: { PEBBLE_ALTERNATE_ROOTS: '2' } }));
    await registerAccount(conn);
    const certificate = await issue(conn, [site]);
    const byDefault = await downloadCertificate(conn, certificate);
    const roots =
      (await running.at(-1)?.issuerRoots())?.map(pem => new X509Certificate(pem).subject.slice(3)) ?? [];
    expect(roots).toHaveLength(3);
    for (const root of roots) {
      const { chainPem } = await downloadCertificate(conn, certificate, { preferredChain: root });
      expect(topmostIssuer(chainPem)).toBe(root);
    }
    expect(await downloadCertificate(conn, certificate, { preferredChain: 'No Such Root' })).toEqual(
      byDefault,
    );

    await revokeCertificate(conn, byDefault.chainPem, { reason: 'superseded' });
    await revokeCertificate(conn, byDefault.chainPem);
  });

  it('binds the external account that the server wants', async () => {
    const macKey = Buffer.from('a-shared-secret-of-32-bytes-----').toString('base64url');
    const pebble = await pebbleWith({ externalAccountKeys: { 'kid-1': macKey } });
    expect(await directoryMeta(connect(pebble))).toMatchObject({ externalAccountRequired: true });
    await expect(registerAccount(connect(pebble))).rejects.toMatchObject({
      code: 'ACME_EXTERNAL_ACCOUNT_REQUIRED',
    });
    const bound = connect(pebble, { externalAccountBinding: { keyId: 'kid-1', macKey } });
    await expect(registerAccount(bound)).resolves.toMatchObject({ status: 'valid' });
  });

  it('orders an IP address', async () => {
    const conn = connect(running[0] ?? (await pebbleWith()));
    await registerAccount(conn);
    const ip = { type: 'ip', value: '127.0.0.1' } as const;
    const { chainPem } = await downloadCertificate(conn, await issue(conn, [ip]));
    expect(new X509Certificate(chainPem).checkIP('127.0.0.1')).toBe('127.0.0.1');
  });

  it('says what was refused', async () => {
    const pebble = await pebbleWith({ blockedDomains: ['blocked.test'] });
    const conn = connect(pebble);
    await registerAccount(conn);
    await expect(
      newOrder(conn, { identifiers: [{ type: 'dns', value: 'blocked.test' }] }),
    ).rejects.toMatchObject({
      code: 'ACME_REJECTED_IDENTIFIER',
      retry: 'never',
    });
    await expect(
      getOrder(conn, `${conn.directoryUrl.replace('/dir', '')}/my-order/none`),
    ).rejects.toMatchObject({
      code: 'ACME_NOT_FOUND',
    });
    const order = await newOrder(conn, { identifiers: [site] });
    await expect(finalizeOrder(conn, order.finalize, await csrFor([site]))).rejects.toMatchObject({
      code: 'ACME_ORDER_NOT_READY',
    });
    const [authorization = ''] = order.authorizations;
    expect(await deactivateAuthorization(conn, authorization)).toMatchObject({ status: 'deactivated' });
  });

  it('meets a challenge that fails with the reason in the challenge', async () => {
    const conn = connect(running[0] ?? (await pebbleWith()));
    await registerAccount(conn);
    const order = await newOrder(conn, {
      identifiers: [{ type: 'dns', value: 'nobody-answers.example.com' }],
    });
    const { challenges } = await getAuthorization(conn, order.authorizations[0] ?? '');
    const challenge = challenges.find(offered => offered.type === 'http-01');
    await acceptChallenge(conn, challenge?.url ?? '');
    const failed = await until(() => getChallenge(conn, challenge?.url ?? ''), 'invalid');
    expect(failed.error).toMatchObject({ type: 'unauthorized' });
    expect(failed.error?.detail).toContain('404');
    expect(await getOrder(conn, order.url)).toMatchObject({ status: 'invalid' });
  });

  it('changes contacts, and notices a deactivated account', async () => {
    const conn = connect(running[0] ?? (await pebbleWith()));
    await registerAccount(conn);
    expect(await updateAccount(conn, { email: 'new@example.com' })).toMatchObject({
      contact: ['mailto:new@example.com'],
    });
    expect(await updateAccount(conn, { deactivate: true })).toMatchObject({ status: 'deactivated' });
    await expect(newOrder(conn, { identifiers: [site] })).rejects.toMatchObject({
      code: 'ACME_UNAUTHORIZED',
      retry: 'backoff',
    });
  });

  it('verifies the server, says how to trust a private CA, and can leave it', async () => {
    const { directoryUrl } = running[0] ?? (await pebbleWith());
    const accountKeyPem = anEcKey();
    const wary = openAcme({ directoryUrl, accountKeyPem });
    await expect(registerAccount(wary)).rejects.toMatchObject({
      code: 'ACME_UNREACHABLE',
      message: expect.stringContaining('spec.acme.caBundle'),
    });
    const trusting = openAcme({ directoryUrl, accountKeyPem, skipTlsVerify: true });
    await expect(registerAccount(trusting)).resolves.toMatchObject({ status: 'valid' });
    trusting.close();
    wary.close();
  });
});
