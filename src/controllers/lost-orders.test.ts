import { describe, expect, it } from 'vitest';
import { problem, type ScriptedReply } from '../acme/scripted-acme.testing.ts';
import { challenges } from '../api/acme/challenge.ts';
import { orders } from '../api/acme/order.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCertificate, anAcmeIssuer, ready } from './objects.testing.ts';
import { aGround, aWorld, type Ground, namespace, type WorldOptions } from './world.testing.ts';

const host = 'site.example.com';
const minuteMs = 60_000;
const unseen: NonNullable<WorldOptions['probe']> = async () => ({
  found: false,
  kind: 'status',
  at: '192.0.2.1:80',
  status: 404,
});

async function aSite(): Promise<{ ground: Ground; acme: TestAcmeServer }> {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' } }));
  return { ground, acme };
}

/** A process that is killed while the ACME server looks for the answer. */
async function killedDuringValidation(): Promise<{ ground: Ground; acme: TestAcmeServer }> {
  const { ground, acme } = await aSite();
  acme.slowHosts.add(host);
  const first = await aWorld(ground);
  const accepted = () =>
    acme.scripted.seen.some(({ path, payload }) => path === `/challenge/1/${host}` && payload !== null);
  await first.until('the challenge is accepted', async () => accepted());
  await first.stop();
  return { ground, acme };
}

const failures = async (ground: Ground): Promise<number> =>
  (await ground.get(certificates, 'site'))?.status?.failedIssuanceAttempts ?? 0;

describe('a challenge that the ACME server validates while no process is there', () => {
  it.each([
    ['still under way', false],
    ['valid by now', true],
  ])('goes on at once where it is %s, whatever the self-check sees', async (_what, isOver) => {
    const { ground, acme } = await killedDuringValidation();
    if (isOver) acme.validate(host);
    const second = await aWorld(ground, { probe: unseen });
    await second.settle();
    acme.validate(host);
    await second.until('Ready', ready(ground), { withinMs: minuteMs });
    expect(acme.orders).toHaveLength(1);
  });

  it('goes on by itself where the server ended its validation after the restart, and said nothing of it', async () => {
    const { ground, acme } = await killedDuringValidation();
    // As Boulder does, which has no state of `processing`.
    let isOver = false;
    acme.scripted.on(`/challenge/1/${host}`, () => ({
      body: {
        type: 'http-01',
        url: `${acme.scripted.origin}/challenge/1/${host}`,
        token: 'x'.repeat(43),
        status: isOver ? 'valid' : 'pending',
      },
    }));
    const second = await aWorld(ground, { probe: unseen });
    await second.settle();
    isOver = true;
    acme.validate(host);
    await second.until('Ready', ready(ground), { withinMs: minuteMs });
    expect(acme.orders).toHaveLength(1);
  });

  it('and is lost has its order made again, once and at once', async () => {
    const { ground, acme } = await killedDuringValidation();
    acme.refusedHosts.add(host);
    acme.validate(host);
    acme.refusedHosts.clear();
    acme.slowHosts.clear();
    const second = await aWorld(ground);
    await second.until('Ready', ready(ground), { withinMs: minuteMs });
    await second.settle();
    expect(acme.orders).toHaveLength(2);
    expect(await failures(ground)).toBe(0);
    expect(ground.writes.filter(({ what }) => what === 'create CertificateRequest')).toHaveLength(1);
    expect(await ground.eventsOf('Order', (await ground.all(orders))[0]?.metadata.name ?? '')).toContainEqual(
      expect.stringMatching(/Postern was restarted meanwhile\..* Another order is made in its place\.$/),
    );
    expect(await ground.all(challenges)).toEqual([]);
  });

  it('and is lost again is a failure as any other', async () => {
    const { ground, acme } = await killedDuringValidation();
    acme.refusedHosts.add(host);
    acme.validate(host);
    acme.slowHosts.clear();
    const second = await aWorld(ground);
    await second.until('the failure is recorded', async () => (await failures(ground)) === 1);
    await second.sleep(50 * minuteMs);
    expect(acme.orders).toHaveLength(2);
  });

  it.each([0, 1, 2, 3, 4])(
    'is not ordered twice where the second process dies %i writes later',
    async number => {
      const { ground, acme } = await killedDuringValidation();
      acme.refusedHosts.add(host);
      acme.validate(host);
      acme.refusedHosts.clear();
      acme.slowHosts.clear();
      const second = await aWorld(ground, { fateOf: before => (before === number ? 'death' : 'done') });
      await second.until('death', async () => second.isDead());
      await second.stop();
      const third = await aWorld(ground);
      await third.until('Ready', ready(ground), { withinMs: minuteMs });
      // The third one where the kill fell between the answer of the second and the write of its URL.
      expect(acme.orders.length).toBeLessThanOrEqual(3);
      expect(await ground.all(certificateRequests)).toHaveLength(1);
    },
  );
});

describe('an order that was made by another account', () => {
  /** Has the server know its accounts by their keys. */
  function withAccounts({ scripted }: TestAcmeServer): void {
    const accounts = new Map<string, string>();
    scripted.on('/account', ({ header, payload }) => {
      const key = JSON.stringify(header.jwk);
      const isThere = accounts.has(key);
      if (!isThere && (payload as { onlyReturnExisting?: boolean }).onlyReturnExisting === true)
        return { status: 400, body: problem('accountDoesNotExist', 'no such account') };
      const url = accounts.get(key) ?? `${scripted.origin}/account/${accounts.size + 1}`;
      accounts.set(key, url);
      return { status: isThere ? 200 : 201, headers: { location: url }, body: { status: 'valid' } };
    });
  }

  it.each<[string, ScriptedReply]>([
    ['403', { status: 403, body: problem('unauthorized', 'not your order') }],
    ['404', { status: 404, body: problem('malformed', 'no such challenge') }],
  ])('and is refused with %s to the one of a new key is made again at once', async (_what, refusal) => {
    const { ground, acme } = await aSite();
    withAccounts(acme);
    acme.slowHosts.add(host);
    const world = await aWorld(ground);
    const isAccepted = () => acme.scripted.count(`/challenge/1/${host}`) > 0;
    await world.until('the challenge is accepted', async () => isAccepted());
    acme.slowHosts.clear();
    acme.scripted.on(`/challenge/1/${host}`, ({ header }) =>
      header.kid === `${acme.scripted.origin}/account/1` ? { status: 500 } : refusal,
    );
    await ground.store.delete(secrets, { namespace, name: 'acme-account' });
    await world.until('the account is another', async () =>
      (await ground.get(issuers, 'acme'))?.status?.acme?.uri?.endsWith('/account/2'),
    );
    await world.until('Ready', ready(ground), { withinMs: 2 * minuteMs });
    expect(acme.orders).toHaveLength(2);
    expect(await failures(ground)).toBe(0);
  });

  it('and at another server is made again at the one that the issuer names now', async () => {
    const { ground, acme } = await aSite();
    const other = await anAcmeServer(() => ground.clock.now());
    let isSeen = false;
    const world = await aWorld(ground, {
      probe: async (target, signal) => (isSeen ? { found: true } : unseen(target, signal)),
    });
    await world.until('the challenge is there', async () => (await ground.all(challenges)).length === 1);
    const issuer = await ground.store.get(issuers, { namespace, name: 'acme' });
    const { spec } = anAcmeIssuer('acme', other.directoryUrl);
    await ground.store.update(issuers, { ...issuer, spec });
    isSeen = true;
    await world.until('Ready', ready(ground), { withinMs: 2 * minuteMs });
    expect([acme.orders.length, other.orders.length]).toEqual([1, 1]);
  });
});
