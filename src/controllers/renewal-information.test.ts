import { describe, expect, it } from 'vitest';
import { certIdOf } from '../acme/renewal-info.ts';
import { problem } from '../acme/scripted-acme.testing.ts';
import { type Certificate, type CertificateSpec, certificates } from '../api/cert-manager/certificate.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { withCondition } from '../api/condition.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCertificate, anAcmeIssuer, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World } from './world.testing.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

interface AriServer extends TestAcmeServer {
  /** The window that the server suggests, as milliseconds since the epoch; undefined where it knows none. */
  window: readonly [startMs: number, endMs: number] | undefined;
  /** The CertIDs that it was asked about, in order. */
  readonly asked: string[];
}

async function anAriServer(ground: Ground): Promise<AriServer> {
  const acme = await anAcmeServer(() => ground.clock.now());
  const { scripted } = acme;
  const { origin } = scripted;
  scripted.on('/directory', {
    body: {
      newNonce: `${origin}/nonce`,
      newAccount: `${origin}/account`,
      newOrder: `${origin}/order`,
      renewalInfo: `${origin}/renewal-info`,
    },
    withoutNonce: true,
  });
  const asked: string[] = [];
  const nowMs = ground.clock.now();
  const server: AriServer = Object.assign(acme, {
    window: [nowMs + 20 * dayMs, nowMs + 22 * dayMs] as const,
    asked,
  });
  scripted.on('/renewal-info/*', ({ path }) => {
    asked.push(path.split('/').at(-1) ?? '');
    if (server.window === undefined) return { status: 404, body: problem('malformed', 'unknown') };
    const [start, end] = server.window.map(ms => new Date(ms).toISOString());
    return {
      headers: { 'retry-after': '21600' },
      body: { suggestedWindow: { start, end }, explanationURL: 'https://ca.example.com/why' },
    };
  });
  return server;
}

async function anIssued(
  spec: Partial<CertificateSpec> = {},
): Promise<{ ground: Ground; acme: AriServer; world: World }> {
  const ground = aGround();
  const acme = await anAriServer(ground);
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  const world = await aWorld(ground);
  await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' }, ...spec }));
  await world.until('Ready', ready(ground));
  return { ground, acme, world };
}

const find = (ground: Ground): Promise<Certificate | undefined> => ground.get(certificates, 'site');

async function renewalTime(ground: Ground): Promise<number> {
  return Date.parse((await find(ground))?.status?.renewalTime ?? '');
}

async function certIdInUse(ground: Ground): Promise<string | undefined> {
  return certIdOf(parseCertificate((await textIn(ground, 'site-tls', 'tls.crt')) ?? ''));
}

const withinWindow = (ground: Ground, acme: AriServer) => async (): Promise<boolean> => {
  const atMs = await renewalTime(ground);
  const [startMs = 0, endMs = 0] = acme.window ?? [];
  return atMs >= startMs - 1_000 && atMs < endMs;
};

async function renewByHand(ground: Ground): Promise<void> {
  const certificate = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
  const issuing = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'by hand',
  } as const;
  const conditions = withCondition(certificate.status?.conditions, issuing);
  await ground.store.updateStatus(certificates, {
    ...certificate,
    status: { ...certificate.status, conditions },
  });
}

describe('a certificate of an ACME server with renewal information', () => {
  it('is renewed in the window that the server suggests, and the server is told what it replaces', async () => {
    const { ground, acme, world } = await anIssued();
    await world.until('the window is in the status', withinWindow(ground, acme));
    const first = await certIdInUse(ground);
    expect(acme.asked).toEqual([first]);
    const atMs = await renewalTime(ground);

    acme.window = [ground.clock.now() + 20 * dayMs, ground.clock.now() + 22 * dayMs];
    await world.sleep(atMs - ground.clock.now() - 60_000);
    expect(acme.orders).toHaveLength(1);
    await world.sleep(2 * 60_000);
    await world.until('renewed', ready(ground, 'site', 2));
    expect(acme.replaced).toEqual([undefined, first]);
    expect(await ground.eventsOf('Certificate', 'site')).toContainEqual(
      expect.stringContaining(', as its ACME server wishes (see https://ca.example.com/why ).'),
    );
  });

  it('takes one write of its status, as without', async () => {
    const { ground, world } = await anIssued();
    await world.settle();
    const statuses = ground.writes.filter(({ what }) => what === 'update Certificate status');
    expect(statuses).toHaveLength(1);
  });

  it('is asked about every six hours, and follows a window that moves: at once where that is over', async () => {
    const { ground, acme, world } = await anIssued();
    await world.until('the window is in the status', withinWindow(ground, acme));
    await world.sleep(5 * hourMs);
    expect(acme.asked).toHaveLength(1);
    acme.window = [ground.clock.now() + 3 * dayMs, ground.clock.now() + 4 * dayMs];
    await world.sleep(1.1 * hourMs);
    await world.until('the new window is in the status', withinWindow(ground, acme));
    expect(acme.asked).toHaveLength(2);

    acme.window = [ground.clock.now() - 4 * dayMs, ground.clock.now() - 3 * dayMs];
    await world.sleep(6.1 * hourMs);
    await world.until('renewed', ready(ground, 'site', 2));
  });

  it('is not renewed without end by a server that always wants that at once: an hour each', async () => {
    const { ground, acme, world } = await anIssued();
    acme.window = [ground.clock.now() - 2 * dayMs, ground.clock.now() - dayMs];
    await world.sleep(6.1 * hourMs);
    await world.until('renewed', ready(ground, 'site', 2));
    await world.sleep(50 * 60_000);
    expect(acme.orders).toHaveLength(2);
    await world.sleep(15 * 60_000);
    await world.until('renewed again', ready(ground, 'site', 3));
  });

  it('keeps the time in the status over a restart, and the next process asks again', async () => {
    const { ground, acme, world } = await anIssued();
    await world.until('the window is in the status', withinWindow(ground, acme));
    const before = await find(ground);
    await world.stop();
    acme.scripted.on('/renewal-info/*', { fault: 'reset' });
    const next = await aWorld(ground);
    await next.sleep(hourMs);
    expect((await find(ground))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    await next.sleep((await renewalTime(ground)) - ground.clock.now() + 1_000);
    await next.until('renewed', ready(ground, 'site', 2));
  });

  it.each([
    ['does not know it', undefined],
    ['answers nonsense', [dayMs, 0] as const],
  ])('is renewed by its spec where the server %s', async (_what, window) => {
    const ground = aGround();
    const acme = await anAriServer(ground);
    acme.window = window;
    await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' } }));
    const { status } = await world.until('Ready', ready(ground));
    const leadMs = Date.parse(status?.notAfter ?? '') - Date.parse(status?.renewalTime ?? '');
    expect(leadMs).toBeGreaterThanOrEqual(30 * dayMs);
    expect(leadMs).toBeLessThanOrEqual(31 * dayMs);
  });

  it.each([
    ['409', 'alreadyReplaced'],
    ['404', 'malformed'],
    ['403', 'unauthorized'],
  ])(
    'is ordered without saying what it replaces where the server does not take that: %s %s',
    async (status, type) => {
      const { ground, acme, world } = await anIssued();
      acme.scripted.on('/order', request => {
        const { replaces } = request.payload as { replaces?: string };
        if (replaces === undefined) return acme.newOrder(request);
        return { status: Number(status), body: problem(type, 'about the predecessor') };
      });
      await renewByHand(ground);
      await world.until('renewed', ready(ground, 'site', 2));
      expect(acme.replaced).toEqual([undefined, undefined]);
      expect((await find(ground))?.status?.failedIssuanceAttempts).toBeUndefined();
    },
  );

  it('replaces nothing where none of the names is the same', async () => {
    const { ground, acme, world } = await anIssued();
    const live = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
    await ground.store.update(certificates, {
      ...live,
      spec: { ...live.spec, dnsNames: ['new.example.com'] },
    });
    await world.until('issued again', ready(ground, 'site', 2));
    expect(acme.replaced).toEqual([undefined, undefined]);
  });

  it('replaces nothing of another issuer', async () => {
    const { ground, acme, world } = await anIssued();
    await ground.store.create(issuers, anAcmeIssuer('other', acme.directoryUrl));
    const live = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
    await ground.store.update(certificates, {
      ...live,
      spec: { ...live.spec, issuerRef: { name: 'other' } },
    });
    await world.until('issued again', ready(ground, 'site', 2));
    expect(acme.replaced).toEqual([undefined, undefined]);
  });

  it('is asked about no more when it is gone', async () => {
    const { ground, acme, world } = await anIssued();
    await ground.store.delete(certificates, { namespace: 'default', name: 'site' });
    await world.settle();
    await world.sleep(dayMs);
    expect(acme.asked).toHaveLength(1);
  });
});

it('with renewal information switched off nobody is asked, and nothing is said', async () => {
  const ground = aGround();
  const acme = await anAriServer(ground);
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  const world = await aWorld(ground, { controllers: { renewalWindows: undefined } });
  await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' } }));
  await world.until('Ready', ready(ground));
  await renewByHand(ground);
  await world.until('renewed', ready(ground, 'site', 2));
  expect(acme.asked).toEqual([]);
  expect(acme.replaced).toEqual([undefined, undefined]);
});
