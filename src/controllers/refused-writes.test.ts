import { describe, expect, it } from 'vitest';
import { orders } from '../api/acme/order.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { findCondition } from '../api/condition.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { anAcmeServer } from './acme-server.testing.ts';
import { aCaIssuer, aCertificate, anAcmeIssuer, ready } from './objects.testing.ts';
import { aGround, aWorld, type Ground, namespace, type World } from './world.testing.ts';

const why = 'the policy wants a label "team"';
const told = (what: string): string =>
  `Refused: ${what}: ${why}. See the policy, the quota or the RBAC rule that says so; it is tried again by itself.`;

interface Bed {
  readonly ground: Ground;
  readonly world: World;
  /** From now on nothing is refused. */
  readonly allow: () => void;
}

/** A world in which one kind of write is refused. `begin` makes what is there before. */
async function aBed(what: string, begin: (ground: Ground) => Promise<unknown>): Promise<Bed> {
  const ground = aGround();
  let refused: string | undefined = what;
  await begin(ground);
  const world = await aWorld(ground, { refusalOf: asked => (asked === refused ? why : undefined) });
  return {
    ground,
    world,
    allow: () => {
      refused = undefined;
    },
  };
}

const conditionOf = async (ground: Ground, type: string) =>
  findCondition((await ground.get(certificates, 'site'))?.status?.conditions, type);

async function withAcme(ground: Ground): Promise<void> {
  const { directoryUrl } = await anAcmeServer(() => ground.clock.now());
  await ground.store.create(issuers, anAcmeIssuer('acme', directoryUrl));
}

const byAcme = aCertificate({ issuerRef: { name: 'acme' } });

describe('what the API server refuses is said where it is looked for, and tried again', () => {
  it('of an Ingress: a Certificate', async () => {
    const { ground, world, allow } = await aBed('create Certificate', aCaIssuer);
    await ground.store.create(ingresses, {
      metadata: { name: 'web', namespace, annotations: { 'cert-manager.io/issuer': 'ca' } },
      spec: {
        rules: [{ host: 'site.example.com' }],
        tls: [{ hosts: ['site.example.com'], secretName: 'site' }],
      },
    });
    for (let minute = 0; minute < 5; minute++) await world.sleep(60_000);
    expect(await ground.eventsOf('Ingress', 'web')).toEqual([`WriteRefused: ${told('create Certificate')}`]);
    allow();
    await world.until('Ready', ready(ground));
  });

  it.each(['create Secret', 'create CertificateRequest'])('of a Certificate: %s', async what => {
    const { ground, world, allow } = await aBed(what, aCaIssuer);
    await ground.store.create(certificates, aCertificate());
    for (let minute = 0; minute < 5; minute++) await world.sleep(60_000);
    expect(await ground.eventsOf('Certificate', 'site')).toContain(`WriteRefused: ${told(what)}`);
    expect(await conditionOf(ground, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'DoesNotExist',
      message: expect.stringContaining(told(what)),
    });
    expect(await conditionOf(ground, 'Issuing')).toMatchObject({ status: 'True', message: told(what) });
    const tellings = ground.writes.filter(write => write.what === 'update Certificate status');
    expect(tellings).toHaveLength(1);
    allow();
    await world.until('Ready', ready(ground));
    expect(await conditionOf(ground, 'Issuing')).toBeUndefined();
  });

  it('of a renewal: the new pair, while the old one is good', async () => {
    const { ground, world } = await aBed('update Secret', aCaIssuer);
    await ground.store.create(certificates, aCertificate({ duration: '2h' }));
    const certificate = await world.until('Ready', ready(ground));
    await world.sleep(Date.parse(certificate.status?.renewalTime ?? '') - ground.clock.now());
    await world.until('it is said', async () =>
      (await conditionOf(ground, 'Issuing'))?.message?.startsWith('Refused: '),
    );
    expect(await conditionOf(ground, 'Ready')).toMatchObject({ status: 'True' });
  });

  it('of a CertificateRequest: its Order', async () => {
    const { ground, world, allow } = await aBed('create Order', withAcme);
    await ground.store.create(certificates, byAcme);
    await world.until('the Certificate says so', async () =>
      (await conditionOf(ground, 'Ready'))?.message?.includes(told('create Order')),
    );
    const [request] = await ground.all(certificateRequests);
    const condition = findCondition(request?.status?.conditions, 'Ready');
    expect(condition).toMatchObject({ status: 'False', reason: 'Pending', message: told('create Order') });
    const { name = '' } = request?.metadata ?? {};
    expect(await ground.eventsOf('CertificateRequest', name)).toContain(
      `WriteRefused: ${told('create Order')}`,
    );
    allow();
    await world.until('Ready', ready(ground));
  });

  it('of an Order: a Challenge', async () => {
    const { ground, world, allow } = await aBed('create Challenge', withAcme);
    await ground.store.create(certificates, byAcme);
    await world.until('the Order says so', async () =>
      (await ground.all(orders)).some(({ status }) => status?.reason === told('create Challenge')),
    );
    allow();
    await world.until('Ready', ready(ground));
  });
});
