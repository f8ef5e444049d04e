import { beforeEach, describe, expect, it } from 'vitest';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { aChallenge } from '../challenge.testing.ts';
import { aCluster, type TestCluster } from './cluster.testing.ts';
import { createInPlaceIngresses, type InPlaceIngresses } from './in-place.ts';

const key = { namespace: 'shop', name: 'shop' };
const shop = { service: { name: 'shop', port: { number: 80 } } };
let cluster: TestCluster;
let inPlace: InPlaceIngresses;
let before: Ingress;

beforeEach(async () => {
  cluster = aCluster();
  inPlace = createInPlaceIngresses({ api: cluster.api, ingresses: cluster.caches.cacheOf(ingresses) });
  before = await cluster.outside.create(ingresses, {
    metadata: { ...key, annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' } },
    spec: {
      rules: [
        { host: 'www.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: shop }] } },
      ],
      tls: [{ hosts: ['www.example.com'], secretName: 'shop-tls' }],
    },
  });
  await cluster.start();
});

const now = (): Promise<Ingress> => cluster.outside.get(ingresses, key);

function challengeFor(dnsName: string, number = 1): ReturnType<typeof aChallenge> {
  return aChallenge({ dnsName, token: `token-of-challenge-${number}` });
}

describe('an Ingress that is edited in place', () => {
  it('carries the challenge first, and is as before afterwards', async () => {
    const challenge = challengeFor('www.example.com');
    await inPlace.ensurePath(challenge, 'shop');
    await inPlace.ensurePath(challenge, 'shop');
    const paths = (await now()).spec?.rules?.[0]?.http?.paths.map(path => path.path);
    expect(paths).toEqual(['/.well-known/acme-challenge/token-of-challenge-1', '/']);
    expect(cluster.writes).toEqual(['update Ingress']);

    await inPlace.removePath(challenge, 'shop');
    await inPlace.removePath(challenge, 'shop');
    const after = await now();
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.annotations).toEqual(before.metadata.annotations);
    expect(cluster.writes).toHaveLength(2);
  });

  it('carries many challenges that come at once, and is as before when all are gone', async () => {
    const all = Array.from({ length: 20 }, (_, at) =>
      challengeFor(at % 2 === 0 ? 'www.example.com' : 'new.test', at),
    );
    await Promise.all(all.map(challenge => inPlace.ensurePath(challenge, 'shop')));
    expect((await now()).spec?.rules?.map(rule => rule.http?.paths.length)).toEqual([11, 10]);
    expect(cluster.writes).toHaveLength(20);
    await Promise.all(all.map(challenge => inPlace.removePath(challenge, 'shop')));
    expect((await now()).spec).toEqual(before.spec);
  });

  it('keeps what others change at the same moment', async () => {
    const rename = async (host: string): Promise<void> => {
      const found = await now();
      await cluster.outside.update(ingresses, {
        ...found,
        spec: { ...found.spec, tls: [{ hosts: [host] }] },
      });
    };
    const challenge = challengeFor('www.example.com');
    cluster.beforeNextUpdate(() => rename('one.test'));
    await inPlace.ensurePath(challenge, 'shop');
    expect((await now()).spec).toMatchObject({ tls: [{ hosts: ['one.test'] }] });
    expect((await now()).spec?.rules?.[0]?.http?.paths).toHaveLength(2);

    cluster.beforeNextUpdate(() => rename('two.test'));
    await inPlace.removePath(challenge, 'shop');
    expect((await now()).spec).toEqual({ ...before.spec, tls: [{ hosts: ['two.test'] }] });
  });

  it('is cleaned up by a process whose cache has not seen the edit', async () => {
    const challenge = challengeFor('www.example.com');
    const blind = createInPlaceIngresses({
      api: cluster.outside,
      ingresses: { ...cluster.caches.cacheOf(ingresses), get: () => before },
    });
    await inPlace.ensurePath(challenge, 'shop');
    await blind.removePath(challenge, 'shop');
    expect((await now()).spec).toEqual(before.spec);
  });

  it('must exist in the namespace of the challenge', async () => {
    const elsewhere = aChallenge({ namespace: 'other' });
    await expect(inPlace.ensurePath(elsewhere, 'shop')).rejects.toMatchObject({
      code: 'SOLVER_INGRESS_NOT_FOUND',
      message: expect.stringContaining('other/shop'),
    });
    await inPlace.removePath(elsewhere, 'shop');
    expect(cluster.writes).toEqual([]);
  });

  it('is not written for a challenge made to inject something, and its clean-up does not hang on it', async () => {
    const hostile = aChallenge({ dnsName: 'a.test; return 200' });
    await expect(Promise.resolve().then(() => inPlace.ensurePath(hostile, 'shop'))).rejects.toMatchObject({
      code: 'SOLVER_INVALID_CHALLENGE',
    });
    await inPlace.removePath(hostile, 'shop');
    expect(cluster.writes).toEqual([]);
  });
});
