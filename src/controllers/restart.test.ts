import { describe, expect, it } from 'vitest';
import { certificates } from '../api/cert-manager/certificate.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import type { Secret } from '../api/kubernetes/secret.ts';
import { keyFitsCertificate } from '../pki/key-pair.ts';
import { anAcmeServer } from './acme-server.testing.ts';
import type { Fate } from './faults.testing.ts';
import { aCaIssuer, aCertificate, anAcmeIssuer, ready } from './objects.testing.ts';
import { aGround, aWorld, type Ground } from './world.testing.ts';

/** What must be so whatever happened on the way. */
function expectNothingLost({ writes }: Ground): void {
  const requests = writes.filter(({ what }) => what === 'create CertificateRequest');
  expect(
    requests.map(({ name }) => name),
    'one request for the revision',
  ).toEqual(['site-1']);
  const pairs = writes.filter(({ what, name }) => what.endsWith(' Secret') && name === 'site-tls');
  expect(pairs.length).toBeGreaterThan(0);
  for (const { stored } of pairs) {
    const { data = {} } = stored as Secret;
    const text = (entry: string): string => Buffer.from(data[entry] ?? '', 'base64').toString();
    expect(keyFitsCertificate(text('tls.key'), text('tls.crt'))).toEqual({ verdict: 'fits' });
  }
}

async function expectTidy(ground: Ground): Promise<void> {
  const kinds = ground.writes.filter(({ what, name }) => what === 'create Secret' && name !== 'site-tls');
  for (const { name } of kinds.filter(({ name }) => name.startsWith('site-')))
    expect(
      ground.writes.some(write => write.what === 'delete Secret' && write.name === name),
      `${name} goes`,
    ).toBe(true);
}

/** A process whose write of this number is its last, or one of which the answer is lost. */
function fateAt(number: number, fate: Fate): (before: number) => Fate {
  return before => (before === number ? fate : 'done');
}

async function issueWith(ground: Ground, fateOf: (before: number) => Fate): Promise<void> {
  const first = await aWorld(ground, { fateOf });
  await first.until('death', async () => first.isDead());
  await first.stop();
  const second = await aWorld(ground);
  await second.until('Ready', ready(ground));
  await second.settle();
}

describe('by a CA issuer', () => {
  /** Counted in the test of the writes of one issuance; one is the issuer's status. */
  const writesOfOne = 7;

  it.each(Array.from({ length: writesOfOne }, (_, number) => number))(
    'a process that dies before write %i leaves all that the next one needs',
    async number => {
      const ground = aGround();
      await aCaIssuer(ground);
      await ground.store.create(certificates, aCertificate());
      await issueWith(ground, fateAt(number, 'death'));
      expectNothingLost(ground);
      await expectTidy(ground);
    },
  );

  it.each(Array.from({ length: writesOfOne }, (_, number) => number))(
    'a process that does not hear of the success of write %i finds it out',
    async number => {
      const ground = aGround();
      await aCaIssuer(ground);
      await ground.store.create(certificates, aCertificate());
      const world = await aWorld(ground, { fateOf: fateAt(number, 'answer lost') });
      await world.until('Ready', ready(ground));
      await world.settle();
      expectNothingLost(ground);
      await expectTidy(ground);
    },
  );
});

describe('by an ACME issuer', () => {
  /** With the issuer's account key and status, and the solver's Service and EndpointSlice. */
  const writesOfOne = 17;

  async function anAcmeGround(): Promise<{ ground: Ground; acme: Awaited<ReturnType<typeof anAcmeServer>> }> {
    const ground = aGround();
    const acme = await anAcmeServer(() => ground.clock.now());
    await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
    await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' } }));
    return { ground, acme };
  }

  it.each(Array.from({ length: writesOfOne }, (_, number) => number))(
    'a process that dies before write %i leaves all that the next one needs',
    async number => {
      const { ground, acme } = await anAcmeGround();
      await issueWith(ground, fateAt(number, 'death'));
      expectNothingLost(ground);
      await expectTidy(ground);
      const orderStatuses = ground.writes.filter(({ what }) => what === 'update Order status');
      expect(orderStatuses.length).toBeGreaterThan(1);
      // The one moment that no process survives: the order is made, and its URL is not stored yet.
      expect(acme.orders.length).toBeLessThanOrEqual(2);
      expect(
        new Set(ground.writes.filter(({ what }) => what === 'create Order').map(({ name }) => name)).size,
      ).toBe(1);
    },
  );

  it.each(Array.from({ length: writesOfOne }, (_, number) => number))(
    'a process that does not hear of the success of write %i finds it out, and orders once',
    async number => {
      const { ground, acme } = await anAcmeGround();
      const world = await aWorld(ground, { fateOf: fateAt(number, 'answer lost') });
      await world.until('Ready', ready(ground));
      await world.settle();
      expectNothingLost(ground);
      await expectTidy(ground);
      expect(acme.orders).toEqual([['site.example.com']]);
    },
  );
});
