import { describe, expect, it } from 'vitest';
import { type Challenge, challenges } from '../api/acme/challenge.ts';
import { type Order, orders } from '../api/acme/order.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { type Ingress, ingresses } from '../api/kubernetes/ingress.ts';
import { ownedBy } from '../issuers/owned-by.ts';
import type { Probe } from '../solvers/http01/probe.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCertificate, anAcmeIssuer, ready } from './objects.testing.ts';
import { aGround, aWorld, type Ground, namespace, type World, type WorldOptions } from './world.testing.ts';

interface Scene {
  readonly ground: Ground;
  readonly acme: TestAcmeServer;
  readonly world: World;
  /** From now on self-checks pass. */
  readonly open: () => void;
}

/** A Certificate whose Challenge waits: nothing passes its self-check. */
async function aScene(options: WorldOptions = {}): Promise<Scene> {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  let isOpen = false;
  const probe: Probe = async () =>
    isOpen ? { found: true } : { found: false, kind: 'status', at: '192.0.2.1:80', status: 404 };
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' } }));
  const world = await aWorld(ground, { probe, ...options });
  const open = (): void => {
    isOpen = true;
  };
  return { ground, acme, world, open };
}

async function untilPresented({ ground, world }: Scene): Promise<{ challenge: Challenge; order: Order }> {
  await world.until('the Ingress is there', async () => (await ground.all(ingresses)).length === 1);
  const [[challenge], [order]] = [await ground.all(challenges), await ground.all(orders)];
  if (challenge === undefined || order === undefined) throw new Error('no Challenge');
  return { challenge, order };
}

const hostsOf = (all: readonly Ingress[]): (string | undefined)[] =>
  all.flatMap(({ spec }) => spec?.rules?.map(({ host }) => host) ?? []);

describe('who may write Orders and Challenges', () => {
  it('has no name served that the request does not ask for, by what the status of its Order says', async () => {
    const scene = await aScene();
    const { ground, acme, world } = scene;
    const { order } = await untilPresented(scene);
    const url = `${acme.scripted.origin}/authz/9/victim.example.com`;
    const offered = { url: 'http://169.254.169.254/latest', type: 'http-01', token: 'v'.repeat(43) };
    const authorizations = [
      ...(order.status?.authorizations ?? []),
      { url, identifier: 'victim.example.com', initialState: 'pending' as const, challenges: [offered] },
    ];
    await ground.store.updateStatus(orders, { ...order, status: { ...order.status, authorizations } });
    // The Order itself makes a Challenge of that.
    const { status } = await world.until('it is refused, and the Order with it', async () => {
      const [found] = await ground.all(orders);
      return found?.status?.state === 'errored' && found;
    });
    expect(status?.reason).toContain('CertificateRequest "site-1" does not ask for "victim.example.com"');
    expect(hostsOf(await ground.all(ingresses))).not.toContain('victim.example.com');
    expect(world.responder.answer('victim.example.com', offered.token)).toBeUndefined();
    expect(acme.scripted.seen.filter(({ path }) => path.includes('victim'))).toEqual([]);
  });

  it('has no order made before the request is approved, and it goes on when it is', async () => {
    const scene = await aScene({ controllers: { approves: false } });
    const { ground, acme, world, open } = scene;
    open();
    const request = await world.until('the request is there', () =>
      ground.get(certificateRequests, 'site-1'),
    );
    await ground.store.create(orders, {
      apiVersion: 'acme.cert-manager.io/v1',
      kind: 'Order',
      metadata: { name: 'mine', namespace, ownerReferences: [ownedBy(request, certificateRequests)] },
      spec: {
        request: request.spec.request,
        issuerRef: { name: 'acme' },
        dnsNames: ['site.example.com'],
      },
    });
    await world.sleep(60_000);
    expect(acme.orders).toEqual([]);
    const approved = { type: 'Approved', status: 'True' as const, reason: 'policy', message: 'yes' };
    const now = await ground.store.get(certificateRequests, { namespace, name: 'site-1' });
    const conditions = [...(now.status?.conditions ?? []), approved];
    await ground.store.updateStatus(certificateRequests, { ...now, status: { conditions } });
    await world.until('Ready', ready(ground), { withinMs: 60_000 });
    expect(acme.orders).toEqual([['site.example.com']]);
  });

  it('has no other Ingress edited: what the issuer does not say goes', async () => {
    const scene = await aScene();
    const { ground, world, open } = scene;
    const { challenge } = await untilPresented(scene);
    const victim = await ground.store.create<Ingress>(ingresses, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'victim', namespace },
      spec: { rules: [{ host: 'victim.example.com' }] },
    });
    const solver = { http01: { ingress: { name: 'victim' } } };
    const { ownerReferences } = challenge.metadata;
    await ground.store.create(challenges, {
      ...challenge,
      metadata: { name: 'mine', namespace, ownerReferences },
      spec: { ...challenge.spec, solver },
    });
    await world.until('it is gone', async () => (await ground.get(challenges, 'mine')) === undefined);
    open();
    await world.until('Ready', ready(ground), { withinMs: 120_000 });
    expect((await ground.get(ingresses, 'victim'))?.metadata.resourceVersion).toBe(
      victim.metadata.resourceVersion,
    );
    expect(await ground.eventsOf('Challenge', 'mine')).toContainEqual(
      expect.stringContaining('Solver: The solver in spec.solver is not one that the issuer gives now'),
    );
  });
});

it('a solver that is mended in the issuer is taken at once, by the Challenges under way', async () => {
  const scene = await aScene();
  const { ground, acme, world, open } = scene;
  await untilPresented(scene);
  const issuer = await ground.store.get(issuers, { namespace, name: 'acme' });
  const { spec } = anAcmeIssuer('acme', acme.directoryUrl, { http01: { ingress: { class: 'public' } } });
  await ground.store.update(issuers, { ...issuer, spec });
  await world.until(
    'the Ingress has the class',
    async () => {
      const [ingress] = await ground.all(ingresses);
      return ingress?.metadata.annotations?.['kubernetes.io/ingress.class'] === 'public';
    },
    { withinMs: 5_000 },
  );
  open();
  await world.until('Ready', ready(ground), { withinMs: 120_000 });
  expect(acme.orders).toHaveLength(1);
});
