import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { problem } from '../acme/scripted-acme.testing.ts';
import { challenges } from '../api/acme/challenge.ts';
import type { AcmeIssuerConfig } from '../api/acme/issuer-config.ts';
import { orders } from '../api/acme/order.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { type Issuer, issuers } from '../api/cert-manager/issuer.ts';
import { type Condition, findCondition } from '../api/condition.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { encodePrivateKey, generatePrivateKey } from '../pki/private-key.ts';
import type { Probe } from '../solvers/http01/probe.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCertificate, anIssuer, aSecret, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World, type WorldOptions } from './world.testing.ts';

interface Settings {
  readonly ground: Ground;
  readonly acme: TestAcmeServer;
  readonly world: World;
}

async function withIssuer(
  config: Partial<AcmeIssuerConfig>,
  { ground = aGround(), ...options }: WorldOptions & { ground?: Ground } = {},
): Promise<Settings> {
  const acme = await anAcmeServer(() => ground.clock.now());
  await ground.store.create(
    issuers,
    anIssuer('acme', {
      acme: {
        server: acme.directoryUrl,
        privateKeySecretRef: { name: 'acme-account' },
        solvers: [{ http01: { ingress: {} } }],
        ...config,
      },
    }),
  );
  return { ground, acme, world: await aWorld(ground, options) };
}

const byAcme = { issuerRef: { name: 'acme' } };

async function condition(ground: Ground): Promise<Condition | undefined> {
  return findCondition((await ground.get(issuers, 'acme'))?.status?.conditions, 'Ready');
}

const told = ({ ground, world }: Settings): Promise<Condition> =>
  world.until('the issuer says how it is', () => condition(ground));

async function orderReason({ ground, world }: Settings): Promise<string> {
  const [order] = await world.until('the Order has ended', async () => {
    const all = await ground.all(orders);
    return all[0]?.status?.state === 'errored' && all;
  });
  return order?.status?.reason ?? '';
}

describe('spec.acme.profile', () => {
  const offered = { meta: { profiles: { classic: 'as ever', shortlived: 'six days' } } };

  async function withProfile(profile: string, meta: object): Promise<Settings> {
    const settings = await withIssuer({ profile });
    const { origin } = settings.acme.scripted;
    settings.acme.scripted.on('/directory', {
      body: {
        newNonce: `${origin}/nonce`,
        newAccount: `${origin}/account`,
        newOrder: `${origin}/order`,
        ...meta,
      },
    });
    await settings.ground.store.create(certificates, aCertificate(byAcme));
    return settings;
  }

  it('is asked for', async () => {
    const { ground, acme, world } = await withProfile('shortlived', offered);
    await world.until('Ready', ready(ground));
    const order = acme.scripted.seen.find(({ path }) => path === '/order');
    expect(order?.payload).toMatchObject({ profile: 'shortlived' });
  });

  it.each([
    ['that the server does not offer', offered, 'use one of classic, shortlived'],
    ['at a server that offers none', {}, 'it offers none; remove it'],
  ])('%s is said, and nothing is ordered', async (_what, meta, fix) => {
    const settings = await withProfile('tlsserver', meta);
    expect(await orderReason(settings)).toMatch(
      new RegExp(`does not offer the profile "tlsserver" of the issuer's spec\\.acme\\.profile: ${fix}\\.$`),
    );
    expect(settings.acme.orders).toEqual([]);
  });
});

describe('spec.acme.enableDurationFeature', () => {
  it.each([
    [true, '2026-01-02T00:00:0'],
    [false, undefined],
  ])('%s: notAfter of the order is %s', async (enableDurationFeature, notAfter) => {
    const { ground, acme, world } = await withIssuer({ enableDurationFeature });
    await ground.store.create(certificates, aCertificate({ ...byAcme, duration: '24h' }));
    await world.until('Ready', ready(ground));
    const order = acme.scripted.seen.find(({ path }) => path === '/order')?.payload as { notAfter?: string };
    if (notAfter === undefined) expect(order).not.toHaveProperty('notAfter');
    else expect(order.notAfter).toContain(notAfter);
  });
});

describe('spec.acme.disableAccountKeyGeneration', () => {
  it('waits for the Secret with the key, and takes it when it comes', async () => {
    const settings = await withIssuer({ disableAccountKeyGeneration: true });
    const { ground, world } = settings;
    expect(await told(settings)).toMatchObject({ status: 'False', reason: 'InvalidConfig' });
    expect((await told(settings)).message).toContain('create the Secret with the account key');
    const key = encodePrivateKey(await generatePrivateKey({ algorithm: 'RSA', size: 2048 }));
    await ground.store.create(secrets, aSecret('acme-account', { 'tls.key': key }));
    await world.until('Ready', async () => (await condition(ground))?.status === 'True');
    expect(await textIn(ground, 'acme-account', 'tls.key')).toBe(key);
  });
});

describe('spec.acme.externalAccountBinding', () => {
  const macKey = Buffer.from('a key of the external account, 32').toString('base64url');
  const externalAccountBinding = { keyID: 'kid-1', keySecretRef: { name: 'eab', key: 'mac' } };

  it('binds the account key, signed with HS256', async () => {
    const ground = aGround();
    await ground.store.create(secrets, aSecret('eab', { mac: `${macKey}\n` }));
    const settings = await withIssuer({ externalAccountBinding }, { ground });
    expect(await told(settings)).toMatchObject({ status: 'True', reason: 'ACMEAccountRegistered' });
    const { header, payload } = settings.acme.scripted.seen.find(({ path }) => path === '/account') ?? {};
    const bound = (
      payload as { externalAccountBinding: Record<'protected' | 'payload' | 'signature', string> }
    ).externalAccountBinding;
    const decoded = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString());
    expect(decoded(bound.protected)).toEqual({
      alg: 'HS256',
      kid: 'kid-1',
      url: `${settings.acme.scripted.origin}/account`,
    });
    expect(decoded(bound.payload)).toEqual(header?.jwk);
    const mac = createHmac('sha256', Buffer.from(macKey, 'base64url')).update(
      `${bound.protected}.${bound.payload}`,
    );
    expect(bound.signature).toBe(mac.digest('base64url'));
  });

  it.each([
    [
      'is not there',
      undefined,
      'Secret "default/eab" of spec.acme.externalAccountBinding.keySecretRef does not exist',
    ],
    ['lacks the entry', { other: 'x' }, 'has no entry "mac"; add it'],
  ])('names its Secret where that %s', async (_what, data, message) => {
    const ground = aGround();
    if (data !== undefined)
      await ground.store.create(secrets, aSecret('eab', data as Record<string, string>));
    const settings = await withIssuer({ externalAccountBinding }, { ground });
    expect(await told(settings)).toMatchObject({
      status: 'False',
      reason: 'InvalidConfig',
      message: expect.stringContaining(message) as string,
    });
  });

  it('that the server wants and is not there is said by the issuer', async () => {
    const ground = aGround();
    const acme = await anAcmeServer(() => ground.clock.now());
    const refusal = problem('externalAccountRequired', 'an external account binding is needed');
    acme.scripted.on('/account', { status: 403, body: refusal });
    const spec: Issuer['spec'] = {
      acme: {
        server: acme.directoryUrl,
        privateKeySecretRef: { name: 'acme-account' },
        solvers: [{ http01: { ingress: {} } }],
      },
    };
    await ground.store.create(issuers, anIssuer('acme', spec));
    const settings = { ground, acme, world: await aWorld(ground) };
    expect(await told(settings)).toMatchObject({
      status: 'False',
      reason: 'ErrRegisterACMEAccount',
      message: expect.stringContaining(
        'externalAccountRequired: an external account binding is needed',
      ) as string,
    });
  });
});

describe('the account key', () => {
  it('that is another one is registered before anything is signed with it, and what waits goes on', async () => {
    const settings = await withIssuer({});
    const { ground, acme, world } = settings;
    const { scripted } = acme;
    await world.until('Ready', async () => (await condition(ground))?.status === 'True');
    scripted.on('/account', {
      headers: { location: `${scripted.origin}/account/1` },
      body: { status: 'deactivated' },
    });
    const deactivated = { status: 403, body: problem('unauthorized', 'account is deactivated') };
    scripted.on('/order', request =>
      request.header.kid === `${scripted.origin}/account/2` ? acme.newOrder(request) : deactivated,
    );
    await ground.store.create(certificates, aCertificate(byAcme));
    await world.until('Ready is False', async () => (await condition(ground))?.status === 'False');
    expect(await condition(ground)).toMatchObject({ reason: 'ErrVerifyACMEAccount' });
    const asked = scripted.count('/order');

    scripted.on('/account', {
      status: 201,
      headers: { location: `${scripted.origin}/account/2` },
      body: { status: 'valid' },
    });
    const key = encodePrivateKey(await generatePrivateKey({ algorithm: 'ECDSA' }));
    const live = await ground.store.get(secrets, { namespace: 'default', name: 'acme-account' });
    await ground.store.update(secrets, { ...live, data: { 'tls.key': Buffer.from(key).toString('base64') } });
    await world.until('Ready', ready(ground));
    expect(scripted.count('/order')).toBe(asked + 1);
    expect((await ground.get(issuers, 'acme'))?.status?.acme?.uri).toBe(`${scripted.origin}/account/2`);
  });
});

describe('waitInsteadOfSelfCheck', () => {
  /** A probe that never finds anything: from here, the names cannot be reached. */
  const probe = async () => ({ found: false, kind: 'timeout', at: undefined }) as const;
  const solver = { http01: { ingress: {} } };

  it('waits that long after the answer is in place, without looking', async () => {
    const { ground, acme, world } = await withIssuer(
      { solvers: [{ ...solver, waitInsteadOfSelfCheck: '5m' }] },
      { probe },
    );
    await ground.store.create(certificates, aCertificate(byAcme));
    await world.until('it waits, and says so', async () => {
      const [challenge] = await ground.all(challenges);
      return challenge?.status?.reason === 'Waiting 5m without a self-check, as the solver says.';
    });
    const [path] = acme.scripted.seen.filter(one => one.path.startsWith('/challenge/'));
    expect(path).toBeUndefined();
    await world.sleep(4 * 60_000);
    expect(acme.scripted.seen.some(one => one.path.startsWith('/challenge/'))).toBe(false);
    await world.sleep(60_000);
    await world.until('Ready', ready(ground));
  });

  it('of 0 asks the ACME server at once', async () => {
    const { ground, world } = await withIssuer(
      { solvers: [{ ...solver, waitInsteadOfSelfCheck: '0' }] },
      { probe },
    );
    await ground.store.create(certificates, aCertificate(byAcme));
    await world.until('Ready', ready(ground), { withinMs: 5_000 });
  });

  it('holds no turn that others need', async () => {
    const { ground, world } = await withIssuer(
      {
        solvers: [
          { ...solver, waitInsteadOfSelfCheck: '1h', selector: { dnsNames: ['slow.example.com'] } },
          { ...solver, waitInsteadOfSelfCheck: '0s' },
        ],
      },
      { probe, controllers: { maxConcurrentChallenges: 1 } },
    );
    await ground.store.create(certificates, aCertificate({ ...byAcme, dnsNames: ['slow.example.com'] }));
    await world.settle();
    await ground.store.create(
      certificates,
      aCertificate(
        { ...byAcme, secretName: 'quick-tls', dnsNames: ['quick.example.com'] },
        { name: 'quick' },
      ),
    );
    await world.until('Ready', ready(ground, 'quick'), { withinMs: 10_000 });
  });
});

describe('IP addresses', () => {
  it.each([
    ['IPv4', '203.0.113.9', '203.0.113.9'],
    ['IPv6', '2001:db8::9', '2001:db8::9'],
  ])('of %s are proved through an Ingress without a host, and certified', async (_family, address, host) => {
    let isReachable = false;
    const probe: Probe = async () =>
      isReachable ? { found: true } : { found: false, kind: 'timeout', at: undefined };
    const { ground, acme, world } = await withIssuer({}, { probe });
    await ground.store.create(
      certificates,
      aCertificate({ ...byAcme, dnsNames: undefined, ipAddresses: [address] }),
    );
    const ingress = await world.until('the solver Ingress', async () => (await ground.all(ingresses))[0]);
    expect(ingress.spec?.rules).toHaveLength(1);
    expect(ingress.spec?.rules?.[0]?.host).toBeUndefined();
    const [challenge] = await ground.all(challenges);
    expect(challenge?.spec).toMatchObject({ dnsName: host, wildcard: false });
    isReachable = true;
    await world.until('Ready', ready(ground));
    const order = acme.scripted.seen.find(({ path }) => path === '/order');
    expect(order?.payload).toMatchObject({ identifiers: [{ type: 'ip', value: address }] });
    const leaf = parseCertificate((await textIn(ground, 'site-tls', 'tls.crt')) ?? '');
    expect(leaf.ipAddresses).toEqual([address]);
    expect(leaf.dnsNames).toEqual([]);
    expect(await ground.all(ingresses)).toEqual([]);
  });
});
