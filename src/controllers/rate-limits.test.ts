import { describe, expect, it } from 'vitest';
import { problem, type ScriptedReply } from '../acme/scripted-acme.testing.ts';
import { orders } from '../api/acme/order.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { findCondition } from '../api/condition.ts';
import { rfc3339 } from '../core/clock.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCertificate, anAcmeIssuer, ready } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World } from './world.testing.ts';

const minuteMs = 60_000;

async function anAcmeWorld(): Promise<{ ground: Ground; acme: TestAcmeServer; world: World }> {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  return { ground, acme, world: await aWorld(ground) };
}

async function addSite({ store }: Ground, name: string, issuer = 'acme'): Promise<void> {
  const spec = { secretName: `${name}-tls`, dnsNames: [`${name}.example.com`], issuerRef: { name: issuer } };
  await store.create(certificates, aCertificate(spec, { name }));
}

const reasonOf = async (ground: Ground, site: string): Promise<string | undefined> =>
  (await ground.all(orders)).find(({ spec }) => spec.dnsNames?.[0] === `${site}.example.com`)?.status?.reason;

/** A server that takes so many new orders in a minute from one account, by its own count. */
function limits(ground: Ground, acme: TestAcmeServer, most: number): { readonly refusals: () => number } {
  let refusals = 0;
  let [sinceMs, taken] = [ground.clock.now(), 0];
  acme.scripted.on('/order', (request): ScriptedReply => {
    const nowMs = ground.clock.now();
    if (nowMs >= sinceMs + minuteMs) [sinceMs, taken] = [nowMs, 0];
    taken += 1;
    if (taken <= most) return acme.newOrder(request);
    refusals += 1;
    return {
      status: 429,
      headers: { 'retry-after': String(Math.ceil((sinceMs + minuteMs - nowMs) / 1_000)) },
      body: problem('rateLimited', 'too many new orders from this account'),
    };
  });
  return { refusals: () => refusals };
}

describe('an ACME server that limits new orders', () => {
  it('gets no more of them before its time, and all go on by themselves', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    await world.settle();
    const { refusals } = limits(ground, acme, 4);
    const sites = Array.from({ length: 20 }, (_, number) => `site-${number}`);
    for (const site of sites) await addSite(ground, site);
    for (const site of sites)
      await world.until(`${site} is Ready`, ready(ground, site), { withinMs: 15 * minuteMs });
    expect(acme.orders).toHaveLength(20);
    // Five minutes' worth; those that were under way as the first was refused, and one or two tries a minute.
    expect(refusals()).toBeLessThanOrEqual(20);
    expect(ground.clock.now() - Date.UTC(2026, 0, 1)).toBeLessThan(8 * minuteMs);
  });

  it('is what the Order and the request say, with the time', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    await world.settle();
    limits(ground, acme, 0);
    await addSite(ground, 'site');
    await addSite(ground, 'later');
    const reason = await world.until('the Order says so', () => reasonOf(ground, 'site'));
    const until =
      /^RateLimited until (\S+): The ACME server \S+ answered 429 to make an order: rateLimited: too many new orders from this account\.$/.exec(
        reason,
      )?.[1];
    const leftMs = Date.parse(until ?? '') - ground.clock.now();
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThanOrEqual(minuteMs + 1_000);
    expect(await world.until('the other says so too', () => reasonOf(ground, 'later'))).toBe(reason);
    await world.until('the request says so', async () => {
      const request = await ground.get(certificateRequests, 'site-1');
      const ready = findCondition(request?.status?.conditions, 'Ready');
      return ready?.reason === 'Pending' && ready.message?.includes(`RateLimited until ${until}: `);
    });
  });

  it('does not cost a write to each that waits every time it limits again', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    await world.settle();
    limits(ground, acme, 0);
    await addSite(ground, 'site');
    await world.until('the Order says so', () => reasonOf(ground, 'site'));
    const before = ground.writes.length;
    for (let minute = 0; minute < 4; minute += 1) await world.sleep(minuteMs + 2_000);
    expect(ground.writes.slice(before).filter(({ what }) => what === 'update Order status')).toHaveLength(0);
  });

  it('does not hold up another account', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    await ground.store.create(issuers, anAcmeIssuer('other', acme.directoryUrl));
    await world.settle();
    acme.scripted.on('/order', request =>
      JSON.stringify(request.payload).includes('limited')
        ? { status: 429, headers: { 'retry-after': '86400' }, body: problem('rateLimited', 'this account') }
        : acme.newOrder(request),
    );
    await addSite(ground, 'limited');
    await world.until('it is limited', () => reasonOf(ground, 'limited'));
    await addSite(ground, 'free', 'other');
    await world.until('the other is Ready', ready(ground, 'free'), { withinMs: minuteMs });
  });

  it('for the names of one alone does not hold up the others', async () => {
    const { ground, acme, world } = await anAcmeWorld();
    acme.scripted.on('/order', request =>
      JSON.stringify(request.payload).includes('busy.example.com')
        ? {
            status: 429,
            headers: { 'retry-after': '86400' },
            body: problem('rateLimited', 'too many failed authorizations (5) for "busy.example.com"'),
          }
        : acme.newOrder(request),
    );
    await addSite(ground, 'busy');
    await world.until('it is limited', () => reasonOf(ground, 'busy'));
    await addSite(ground, 'free');
    await world.until('the other is Ready', ready(ground, 'free'), { withinMs: minuteMs });
    await world.sleep(60 * minuteMs);
    expect(acme.scripted.count('/order')).toBe(2);
  });
});

it.each([
  ['503 with Retry-After in seconds', 503, () => '120'],
  ['429 with Retry-After as a date', 429, (nowMs: number) => new Date(nowMs + 120_000).toUTCString()],
])('%s at any endpoint is waited for by all', async (_what, status, retryAfter) => {
  const { ground, acme, world } = await anAcmeWorld();
  await world.settle();
  const untilMs = ground.clock.now() + 120_000;
  let asked = 0;
  acme.scripted.on('/order', request => {
    if (ground.clock.now() >= untilMs) return acme.newOrder(request);
    asked += 1;
    const headers = { 'retry-after': retryAfter(ground.clock.now()) };
    return { status, headers, body: problem('serverInternal', 'maintenance') };
  });
  await addSite(ground, 'one');
  await world.until('it waits', () => reasonOf(ground, 'one'));
  await addSite(ground, 'two');
  await world.until('the other waits', () => reasonOf(ground, 'two'));
  expect(await reasonOf(ground, 'two')).toContain(`RateLimited until ${rfc3339(untilMs).slice(0, 16)}`);
  await world.sleep(100_000);
  expect(asked).toBe(1);
  await world.until('both are Ready', ready(ground, 'one'));
  await world.until('both are Ready', ready(ground, 'two'));
});

it('a limit on registrations is waited for, and the issuer says so', async () => {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  const { scripted } = acme;
  const limited = {
    status: 429,
    headers: { 'retry-after': '3600' },
    body: problem('rateLimited', 'too many registrations from this address'),
  };
  scripted.on('/account', limited);
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  const world = await aWorld(ground);
  await world.until('the issuer says so', async () => {
    const { status } = (await ground.get(issuers, 'acme')) ?? {};
    const condition = findCondition(status?.conditions, 'Ready');
    return (
      condition?.reason === 'ErrRegisterACMEAccount' && condition.message?.includes('too many registrations')
    );
  });
  await world.sleep(59 * minuteMs);
  expect(scripted.count('/account')).toBe(1);
});
