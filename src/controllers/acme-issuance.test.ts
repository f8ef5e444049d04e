import { describe, expect, it } from 'vitest';
import { problem } from '../acme/scripted-acme.testing.ts';
import { type Challenge, challenges } from '../api/acme/challenge.ts';
import { type Order, orders } from '../api/acme/order.ts';
import type { AcmeSolver } from '../api/acme/solver.ts';
import { type CertificateSpec, certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { findCondition } from '../api/condition.ts';
import { type Ingress, ingresses } from '../api/kubernetes/ingress.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { parseCertificate } from '../pki/certificate.ts';
import type { ProbeOutcome } from '../solvers/http01/probe.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCertificate, anAcmeIssuer, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World, type WorldOptions } from './world.testing.ts';

interface AcmeWorld {
  readonly ground: Ground;
  readonly acme: TestAcmeServer;
  readonly world: World;
}

async function anAcmeWorld(options: WorldOptions = {}, solver?: AcmeSolver): Promise<AcmeWorld> {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl, solver));
  const world = await aWorld(ground, options);
  await world.until('the issuer is Ready', async () => isReady(await ground.get(issuers, 'acme')));
  ground.writes.splice(0);
  return { ground, acme, world };
}

const isReady = (
  object:
    | { status?: { conditions?: { type: string; status: string }[] | undefined } | undefined }
    | undefined,
): boolean => findCondition(object?.status?.conditions, 'Ready')?.status === 'True';

const byAcme = (spec: Partial<CertificateSpec> = {}): Partial<CertificateSpec> => ({
  issuerRef: { name: 'acme' },
  ...spec,
});

/** A self-check that finds nothing for these hosts. */
const blindFor =
  (...hosts: string[]): NonNullable<WorldOptions['probe']> =>
  async ({ host }): Promise<ProbeOutcome> =>
    hosts.includes(host)
      ? { found: false, kind: 'dns', host, why: 'none', asked: '192.0.2.53:53' }
      : { found: true };

const site = { namespace: 'default', name: 'site' };

describe('a certificate by an ACME issuer', () => {
  it('takes thirteen writes through a temporary Ingress, and two more for the first one of a namespace', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('Ready', ready(ground));
    await world.settle();
    const ofTheNamespace = ['create Service', 'create EndpointSlice'];
    const writes = ground.writes.map(({ what }) => what);
    expect(writes.filter(what => ofTheNamespace.includes(what))).toEqual(ofTheNamespace);
    // With the Certificate itself, which ingress-shim makes, it is fourteen.
    expect(writes.filter(what => !ofTheNamespace.includes(what)).toSorted(byText)).toEqual(
      [
        'create Secret', // the next private key, kept before it is used
        'create CertificateRequest',
        'create Order',
        'update Order status', // its URL, before anything else is done with it
        'create Challenge',
        'create Ingress',
        'delete Ingress',
        'update Order status', // valid, with the certificate
        'update CertificateRequest status', // approved and signed
        'create Secret',
        'update Certificate status',
        'delete Challenge',
        'delete Secret', // the private key is where it belongs now
      ].toSorted(byText),
    );
    expect(await ground.eventsOf('Certificate', 'site')).toHaveLength(2);
    expect(acme.orders).toEqual([['site.example.com']]);
    expect(world.responder.size).toBe(0);
    expect(await ground.all(ingresses)).toEqual([]);
    const leaf = parseCertificate((await textIn(ground, 'site-tls', 'tls.crt')) ?? '');
    expect(leaf.issuer.text).toContain('Scripted CA');
  });

  it('for several names has a Challenge for each that is not proved yet', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    acme.provedHosts.add('old.example.com');
    const dnsNames = ['a.example.com', 'old.example.com', 'b.example.com'];
    await ground.store.create(certificates, aCertificate(byAcme({ dnsNames })));
    await world.until('Ready', ready(ground));
    const made = ground.writes.flatMap(({ what, stored }) =>
      what === 'create Challenge' ? [(stored as Challenge).spec.dnsName] : [],
    );
    expect(made.toSorted(byText)).toEqual(['a.example.com', 'b.example.com']);
  });

  it('in place edits the named Ingress, and leaves no trace', async () => {
    const { ground, world } = await anAcmeWorld({}, { http01: { ingress: { name: 'web' } } });
    const backend = { service: { name: 'web', port: { number: 80 } } };
    const rules = [
      { host: 'site.example.com', http: { paths: [{ path: '/', pathType: 'Prefix' as const, backend }] } },
    ];
    const web = await ground.store.create<Ingress>(ingresses, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', namespace: 'default' },
      spec: { rules },
    });
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('Ready', ready(ground));
    await world.until('the Challenge is gone', async () => (await ground.all(challenges)).length === 0);
    expect(ground.writes.filter(({ what }) => what === 'update Ingress')).toHaveLength(2);
    expect((await ground.get(ingresses, 'web'))?.spec).toEqual(web.spec);
  });

  it('that the server refuses says why all the way up, and is not tried again at once', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    acme.refusedHosts.add('site.example.com');
    await ground.store.create(certificates, aCertificate(byAcme()));
    const certificate = await world.until('the failure is recorded', async () => {
      const found = await ground.get(certificates, 'site');
      return found?.status?.failedIssuanceAttempts === 1 && found;
    });
    const said =
      'The HTTP-01 challenge for site.example.com is invalid: The ACME server could not verify the name: unauthorized: not what was expected.';
    expect(findCondition(certificate.status?.conditions, 'Issuing')?.message).toContain(said);
    const [order] = await ground.all(orders);
    expect(order?.status).toMatchObject({ state: 'invalid', reason: said });
    await world.sleep(50 * 60_000);
    expect(acme.orders).toHaveLength(1);
    expect(await ground.all(challenges)).toEqual([]);
    expect(await ground.all(ingresses)).toEqual([]);
    acme.refusedHosts.clear();
    await world.sleep(11 * 60_000);
    await world.until('Ready', ready(ground));
    expect(acme.orders).toHaveLength(2);
  });

  it.each([
    ['a wildcard', { dnsNames: ['*.example.com'] }, 'a wildcard name needs a DNS01 challenge'],
    ['a URI', { uris: ['spiffe://example.com/a'] }, 'ACME cannot certify "spiffe://example.com/a"'],
    [
      'a common name alone',
      { commonName: 'other.example.com' },
      'The common name "other.example.com" is not among',
    ],
    ['an authority', { isCA: true }, 'ACME does not sign certificate authorities'],
  ] satisfies [string, Partial<CertificateSpec>, string][])(
    'for %s fails, and says so',
    async (_what, spec, why) => {
      const { ground, world } = await anAcmeWorld();
      await ground.store.create(certificates, aCertificate(byAcme(spec)));
      const certificate = await world.until('the failure is recorded', async () => {
        const found = await ground.get(certificates, 'site');
        return found?.status?.failedIssuanceAttempts === 1 && found;
      });
      expect(findCondition(certificate.status?.conditions, 'Issuing')?.message).toContain(why);
      expect(await ground.eventsOf('Certificate', 'site')).toContainEqual(expect.stringContaining(why));
    },
  );

  it('that is deleted mid-way leaves nothing behind, and nothing is served for it', async () => {
    const { ground, world } = await anAcmeWorld({ probe: blindFor('site.example.com') });
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('the Ingress is there', async () => (await ground.all(ingresses)).length === 1);
    expect(world.responder.size).toBe(1);
    await ground.store.delete(certificates, site);
    await world.until('all is gone', async () => {
      await ground.store.tidy();
      const left = [
        ...(await ground.all(certificateRequests)),
        ...(await ground.all(orders)),
        ...(await ground.all(challenges)),
        ...(await ground.all(ingresses)),
      ];
      return left.length === 0 && world.responder.size === 0;
    });
    await world.sleep(60_000);
    expect((await ground.all(secrets)).map(({ metadata }) => metadata.name)).toEqual(['acme-account']);
  });
});

describe('names that cannot be reached', () => {
  it('say so, and do not keep others waiting', async () => {
    const broken = Array.from({ length: 5 }, (_, at) => `broken-${at}.example.com`);
    const { ground, world } = await anAcmeWorld({
      probe: blindFor(...broken),
      controllers: { maxConcurrentChallenges: 2 },
    });
    for (const [at, host] of broken.entries()) {
      const spec = byAcme({ dnsNames: [host], secretName: `broken-${at}-tls` });
      await ground.store.create(certificates, aCertificate(spec, { name: `broken-${at}` }));
    }
    await world.until('their Challenges are there', async () => (await ground.all(challenges)).length === 5);
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('Ready', ready(ground), { withinMs: 60_000 });
    const told = await world.until('all five say why', async () => {
      const left = await ground.all(challenges);
      return (
        left.every(({ status }) => status?.reason?.startsWith('The self-check fails: ') === true) && left
      );
    });
    expect(told).toHaveLength(5);
  });

  it('keep their certificate waiting, and those that are proved say so after a minute', async () => {
    const { ground, world } = await anAcmeWorld({ probe: blindFor('dead.example.com') });
    const dnsNames = ['a.example.com', 'dead.example.com'];
    await ground.store.create(certificates, aCertificate(byAcme({ dnsNames })));
    const proved = async (): Promise<Challenge | undefined> =>
      (await ground.all(challenges)).find(({ status }) => status?.state === 'valid');
    await world.until('the name that can be reached is proved', proved, { withinMs: 90_000 });
    expect((await proved())?.spec.dnsName).toBe('a.example.com');
    expect(world.responder.size).toBe(1);
    const hosts = (await ground.all(ingresses)).map(({ spec }) => spec?.rules?.[0]?.host);
    expect(hosts).toEqual(['dead.example.com']);
  });

  it('and do not even resolve are not ordered, and go on when they do', async () => {
    let isThere = false;
    const { ground, acme, world } = await anAcmeWorld({
      resolve: async host =>
        isThere || host !== 'site.example.com'
          ? { addresses: ['192.0.2.1'] }
          : { failure: 'none', asked: '192.0.2.53:53' },
    });
    await ground.store.create(certificates, aCertificate(byAcme()));
    const other = byAcme({ dnsNames: ['other.example.com'], secretName: 'other-tls' });
    await ground.store.create(certificates, aCertificate(other, { name: 'other' }));
    await world.until('the other is Ready', ready(ground, 'other'));
    await world.sleep(10 * 60_000);
    expect(acme.orders).toEqual([['other.example.com']]);
    isThere = true;
    await world.until('Ready', ready(ground), { withinMs: 61_000 });
    expect(acme.orders).toEqual([['other.example.com'], ['site.example.com']]);
    expect((await ground.all(orders)).map(({ status }) => status?.reason)).toEqual([undefined, undefined]);
  });

  it('are not looked up where their solver says that this cannot be done from here', async () => {
    const { ground, world } = await anAcmeWorld(
      { resolve: async () => ({ failure: 'none', asked: '192.0.2.53:53' }) },
      { http01: { ingress: {} }, waitInsteadOfSelfCheck: '0s' },
    );
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('Ready', ready(ground));
  });

  it('in one namespace do not keep the same name of another waiting', async () => {
    const { ground, world } = await anAcmeWorld({
      // What the first namespace serves is never found; what the second does is.
      probe: async ({ token }) =>
        Buffer.from(token, 'base64url').toString().startsWith('token-of-order-1-')
          ? { found: false, kind: 'status', at: '192.0.2.1:80', status: 404 }
          : { found: true },
    });
    await ground.store.create(
      certificates,
      aCertificate(byAcme({ secretName: 'first-tls' }), { name: 'first' }),
    );
    await world.until('the first is presented', async () => (await ground.all(ingresses)).length === 1);
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('Ready', ready(ground), { withinMs: 60_000 });
  });
});

describe('objects that were written by hand (GHSA-8rvj-mm4h-c258)', () => {
  const anOrder = (metadata: Order['metadata'], spec: Partial<Order['spec']> = {}): Order => ({
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Order',
    metadata: { name: 'mine', namespace: 'default', ...metadata },
    spec: {
      request: Buffer.from('x').toString('base64'),
      issuerRef: { name: 'acme' },
      dnsNames: ['victim.example.com'],
      ...spec,
    },
  });

  it('an Order that no CertificateRequest controls is refused, and nothing is ordered', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    await ground.store.create(orders, anOrder({}));
    const { status } = await world.until('refused', async () => {
      const order = await ground.get(orders, 'mine');
      return order?.status?.state === 'errored' && order;
    });
    expect(status?.reason).toContain('No CertificateRequest controls this Order; delete it');
    expect(await ground.eventsOf('Order', 'mine')).toHaveLength(1);
    expect(acme.orders).toEqual([]);
  });

  it('an Order for names that its CertificateRequest does not ask for is refused', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('Ready', ready(ground));
    const request = await ground.store.get(certificateRequests, { namespace: 'default', name: 'site-1' });
    const ownerReferences = [
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'CertificateRequest',
        name: 'site-1',
        uid: request.metadata.uid ?? '',
        controller: true,
      },
    ];
    await ground.store.create(orders, anOrder({ ownerReferences }, { request: request.spec.request }));
    await world.until('refused', async () => (await ground.get(orders, 'mine'))?.status?.state === 'errored');
    expect(acme.orders).toEqual([['site.example.com']]);
  });

  const aChallenge = (metadata: Challenge['metadata'], spec: Partial<Challenge['spec']> = {}): Challenge => ({
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Challenge',
    metadata: { name: 'mine', namespace: 'default', ...metadata },
    spec: {
      type: 'HTTP-01',
      url: 'https://acme.example.com/challenge/1',
      authorizationURL: 'https://acme.example.com/authz/1',
      dnsName: 'victim.example.com',
      token: 'x'.repeat(43),
      key: 'what I would like to be served',
      solver: { http01: { ingress: {} } },
      issuerRef: { name: 'acme' },
      ...spec,
    },
  });

  it('a Challenge that no Order controls is refused: nothing is served, made or asked for', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    const asked = acme.scripted.seen.length;
    await ground.store.create(challenges, aChallenge({}));
    const { status } = await world.until('refused', async () => {
      const challenge = await ground.get(challenges, 'mine');
      return challenge?.status?.state === 'errored' && challenge;
    });
    expect(status?.reason).toContain('No Order controls this Challenge; delete it');
    expect(await ground.eventsOf('Challenge', 'mine')).toHaveLength(1);
    expect(await ground.all(ingresses)).toEqual([]);
    expect(world.responder.size).toBe(0);
    expect(acme.scripted.seen.length).toBe(asked);
  });

  it('a Challenge that its Order has not asked for is refused', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('Ready', ready(ground));
    const [order] = await ground.all(orders);
    const ownerReferences = [
      {
        apiVersion: 'acme.cert-manager.io/v1',
        kind: 'Order',
        name: order?.metadata.name ?? '',
        uid: order?.metadata.uid ?? '',
        controller: true,
      },
    ];
    const asked = acme.scripted.seen.length;
    await ground.store.create(challenges, aChallenge({ ownerReferences }));
    // The Order is over: what it controls is cleared away at once, refused or not.
    await world.until('gone', async () => (await ground.get(challenges, 'mine')) === undefined);
    expect(await ground.all(ingresses)).toEqual([]);
    expect(world.responder.size).toBe(0);
    expect(acme.scripted.seen.length).toBe(asked);
  });
});

describe('an ACME account', () => {
  it('that the server has forgotten is registered again, and the order made by it', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    const { scripted } = acme;
    let registrations = 0;
    scripted.on('/account', ({ payload }) => {
      if ((payload as { onlyReturnExisting?: boolean }).onlyReturnExisting === true)
        return { status: 400, body: problem('accountDoesNotExist', 'no such account') };
      registrations += 1;
      return {
        status: 201,
        headers: { location: `${scripted.origin}/account/2` },
        body: { status: 'valid' },
      };
    });
    let refusals = 0;
    scripted.on('/order', request => {
      if (request.header.kid === `${scripted.origin}/account/1`) {
        refusals += 1;
        return { status: 400, body: problem('accountDoesNotExist', 'no such account') };
      }
      return acme.newOrder(request);
    });
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('Ready', ready(ground));
    expect({ refusals, registrations }).toEqual({ refusals: 1, registrations: 1 });
    expect((await ground.get(issuers, 'acme'))?.status?.acme?.uri).toBe(`${scripted.origin}/account/2`);
  });

  it('that was deactivated brings its issuer to Ready=False, which the request says', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    const { scripted } = acme;
    const location = `${scripted.origin}/account/1`;
    scripted.on('/account', { headers: { location }, body: { status: 'deactivated' } });
    scripted.on('/order', { status: 403, body: problem('unauthorized', 'account is deactivated') });
    await ground.store.create(certificates, aCertificate(byAcme()));
    const issuer = await world.until('Ready is False', async () => {
      const found = await ground.get(issuers, 'acme');
      return !isReady(found) && found;
    });
    const condition = findCondition(issuer.status?.conditions, 'Ready');
    expect(condition?.reason).toBe('ErrVerifyACMEAccount');
    expect(condition?.message).toContain('says that the account is deactivated; name another Secret in');
    await world.until('the request says so', async () => {
      const request = await ground.get(certificateRequests, 'site-1');
      return findCondition(request?.status?.conditions, 'Ready')?.message?.includes(
        'the account is deactivated',
      );
    });
    const asked = scripted.count('/order');
    await world.sleep(30 * 60_000);
    expect(scripted.count('/order')).toBe(asked);
  });

  it('that is in order, when an order is refused, is not doubted: the order fails', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    acme.scripted.on('/order', { status: 403, body: problem('unauthorized', 'not for you') });
    await ground.store.create(certificates, aCertificate(byAcme()));
    await world.until('the failure is recorded', async () => {
      return (await ground.get(certificates, 'site'))?.status?.failedIssuanceAttempts === 1;
    });
    expect(isReady(await ground.get(issuers, 'acme'))).toBe(true);
    expect(acme.scripted.count('/order')).toBe(1);
  });
});

it('a server that asks to be left alone is left alone, and the Order says so', async () => {
  const { ground, acme, world } = await anAcmeWorld();
  acme.scripted.on('/order', {
    status: 429,
    headers: { 'retry-after': '3600' },
    body: problem('rateLimited', 'too many orders'),
  });
  await ground.store.create(certificates, aCertificate(byAcme()));
  const [order] = await world.until('the Order says so', async () => {
    const found = await ground.all(orders);
    return found[0]?.status?.reason !== undefined && found;
  });
  expect(order?.status).toMatchObject({ state: 'pending' });
  expect(order?.status?.reason).toContain('rateLimited: too many orders');
  expect(acme.scripted.count('/order')).toBe(1);
  acme.scripted.on('/order', request => acme.newOrder(request));
  await world.sleep(59 * 60_000);
  expect(acme.scripted.count('/order')).toBe(1);
  await world.sleep(2 * 60_000);
  await world.until('Ready', ready(ground));
  expect((await ground.all(orders))[0]?.status?.reason).toBeUndefined();
});

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
