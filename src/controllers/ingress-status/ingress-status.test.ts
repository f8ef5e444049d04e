import { expect, it } from 'vitest';
import { type Pod, pods } from '../../api/kubernetes/core.ts';
import { type Ingress, type IngressLoadBalancerIngress, ingresses } from '../../api/kubernetes/ingress.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import { defaultClassSettings } from '../../api/kubernetes/ingress-selection.ts';
import { type Service, services } from '../../api/kubernetes/service.ts';
import { silentLogger } from '../../core/logger.ts';
import { createCaches } from '../../kube/caches.ts';
import { createEventRecorder } from '../../kube/events.ts';
import { aGround, aWorld, type Ground, namespace } from '../world.testing.ts';
import { addressesOfService, givenAddresses } from './addresses.ts';
import { clearStatusOfLast, type Replica } from './clear.ts';
import type { IngressStatusOptions } from './index.ts';
import type { PublishedAddress } from './published.ts';

const anIngress = (name: string, ingressClassName: string | undefined = 'postern'): Ingress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace },
  spec: { ingressClassName, defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
});

const balancer: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'postern', namespace: 'edge' },
  spec: { type: 'LoadBalancer', ports: [{ port: 443 }] },
};

const byAddress: PublishedAddress = { kind: 'addresses', addresses: ['192.0.2.1', 'edge.example'] };
const byService: PublishedAddress = { kind: 'service', service: { namespace: 'edge', name: 'postern' } };
const statusOptions = (published: PublishedAddress): IngressStatusOptions => ({
  published,
  classes: { ...defaultClassSettings, standalone: true },
});

const statusOf = async (ground: Ground, name: string): Promise<IngressLoadBalancerIngress[] | undefined> =>
  (await ground.get(ingresses, name))?.status?.loadBalancer?.ingress;

const writesOf = (ground: Ground): string[] =>
  ground.writes.map(({ what }) => what).filter(what => what.includes(' Ingress'));

it('17: own Ingresses get the given addresses, once; those of other classes are left alone', async () => {
  const ground = aGround();
  await ground.store.create(ingresses, anIngress('ours'));
  await ground.store.create(ingresses, anIngress('theirs', 'other'));
  const world = await aWorld(ground, { controllers: { ingressStatus: statusOptions(byAddress) } });
  await world.settle();
  expect(await statusOf(ground, 'ours')).toEqual([{ hostname: 'edge.example' }, { ip: '192.0.2.1' }]);
  expect(await statusOf(ground, 'theirs')).toBeUndefined();
  await world.stop();
  const again = await aWorld(ground, { controllers: { ingressStatus: statusOptions(byAddress) } });
  await again.settle();
  expect(writesOf(ground)).toHaveLength(1);
});

it('17: an Ingress that becomes ours with its class gets them then', async () => {
  const ground = aGround();
  await ground.store.create(ingresses, anIngress('site', 'public'));
  const world = await aWorld(ground, { controllers: { ingressStatus: statusOptions(byAddress) } });
  await world.settle();
  expect(await statusOf(ground, 'site')).toBeUndefined();
  await ground.store.create(ingressClasses, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'public' },
    spec: { controller: 'postern.dev/ingress' },
  });
  await world.settle();
  expect(await statusOf(ground, 'site')).toHaveLength(2);
});

it("17: a Service's addresses are followed, from none to another", async () => {
  const ground = aGround();
  await ground.store.create(ingresses, anIngress('site'));
  const service = await ground.store.create(services, balancer);
  const world = await aWorld(ground, { controllers: { ingressStatus: statusOptions(byService) } });
  await world.settle();
  expect(writesOf(ground)).toEqual([]);
  for (const ip of ['192.0.2.7', '192.0.2.8']) {
    const current = await ground.store.get(services, { namespace: 'edge', name: 'postern' });
    await ground.store.updateStatus(services, {
      ...current,
      status: { loadBalancer: { ingress: [{ ip }] } },
    });
    await world.settle();
    expect(await statusOf(ground, 'site')).toEqual([{ ip }]);
  }
  await ground.store.delete(services, { namespace: 'edge', name: service.metadata.name ?? '' });
  await world.settle();
  expect(await statusOf(ground, 'site')).toBeUndefined();
});

it.each<[string, Partial<Service['spec']> & object, Service['status'], IngressLoadBalancerIngress[]]>([
  [
    'LoadBalancer',
    { type: 'LoadBalancer', clusterIP: '10.0.0.1', externalIPs: ['192.0.2.9'] },
    { loadBalancer: { ingress: [{ hostname: 'lb.example' }, { ip: '192.0.2.1' }] } },
    [{ hostname: 'lb.example' }, { ip: '192.0.2.1' }, { ip: '192.0.2.9' }],
  ],
  ['NodePort', { type: 'NodePort', clusterIP: '10.0.0.1' }, undefined, [{ ip: '10.0.0.1' }]],
  [
    'ClusterIP',
    { clusterIP: '10.0.0.1', externalIPs: ['192.0.2.9'] },
    undefined,
    [{ ip: '10.0.0.1' }, { ip: '192.0.2.9' }],
  ],
  ['headless', { clusterIP: 'None' }, undefined, []],
  [
    'ExternalName',
    { type: 'ExternalName', externalName: 'edge.example.' },
    undefined,
    [{ hostname: 'edge.example' }],
  ],
])('the addresses of a Service: %s', (_name, spec, status, expected) => {
  expect(addressesOfService({ ...balancer, spec, status })).toEqual(expected);
});

it('given addresses are sorted, and each is there once', () => {
  expect(givenAddresses(['b.example', '192.0.2.1', 'b.example'])).toEqual([
    { hostname: 'b.example' },
    { ip: '192.0.2.1' },
  ]);
});

const pod = (name: string, more: Partial<Pod['metadata']> = {}, phase = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { 'postern.dev/edge': 'true' }, ...more },
  status: { phase },
});
const self: Replica = { kind: 'pod', namespace, name: 'self', labelSelector: 'postern.dev/edge=true' };

/** Ends a process beside whatever pods there are. Gives what the Ingress says then. */
async function ended(
  replica: Replica,
  others: readonly Pod[],
): Promise<IngressLoadBalancerIngress[] | undefined> {
  const ground = aGround();
  const { store, clock } = ground;
  await store.create(ingresses, anIngress('site'));
  const world = await aWorld(ground, { controllers: { ingressStatus: statusOptions(byAddress) } });
  await world.settle();
  await world.stop();
  for (const one of [pod('self'), ...others]) {
    const made = await store.create(pods, {
      ...one,
      metadata: { ...one.metadata, finalizers: ['test/held'] },
    });
    await store.updateStatus(pods, { ...made, status: one.status });
    if (one.metadata.deletionTimestamp !== undefined)
      await store.delete(pods, { namespace, name: one.metadata.name ?? '' });
  }
  const caches = createCaches({ api: store, clock, logger: silentLogger });
  const context = {
    api: caches.writer,
    caches,
    clock,
    logger: silentLogger,
    events: createEventRecorder({ api: store, clock, logger: silentLogger }),
  };
  const abort = new AbortController();
  caches.cacheOf(ingresses);
  caches.cacheOf(ingressClasses);
  caches.start(abort.signal);
  await caches.synced;
  await clearStatusOfLast(context, statusOptions(byAddress), replica);
  abort.abort();
  return statusOf(ground, 'site');
}

it.each<[string, Replica, Pod[], boolean]>([
  ['the last one', self, [], true],
  ['the last one beside those that end too', self, [pod('b', { deletionTimestamp: 'soon' })], true],
  [
    'the last one beside those that have ended',
    self,
    [pod('b', {}, 'Failed'), pod('c', {}, 'Succeeded')],
    true,
  ],
  ['one of two', self, [pod('b')], false],
  ['one whose successor is coming up', self, [pod('b', {}, 'Pending')], false],
  ['a process without others', { kind: 'only' }, [], true],
  ['a process that cannot know', { kind: 'unknown' }, [], false],
])('17: %s ends', async (_name, replica, others, cleared) => {
  expect(await ended(replica, others)).toEqual(
    cleared ? undefined : [{ hostname: 'edge.example' }, { ip: '192.0.2.1' }],
  );
});
