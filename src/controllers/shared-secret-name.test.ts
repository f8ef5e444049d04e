import { describe, expect, it } from 'vitest';
import { certificates } from '../api/cert-manager/certificate.ts';
import { type Ingress, ingresses } from '../api/kubernetes/ingress.ts';
import { aCaIssuer, aCertificate, ready } from './objects.testing.ts';
import { aGround, aWorld, type Ground, namespace } from './world.testing.ts';

function anIngress(ground: Ground, name: string, host: string): Promise<Ingress> {
  return ground.store.create(ingresses, {
    metadata: { name, namespace, annotations: { 'cert-manager.io/issuer': 'ca' } },
    spec: { rules: [{ host }], tls: [{ hosts: [host], secretName: 'shared' }] },
  });
}

const namesOf = async (ground: Ground) => (await ground.get(certificates, 'shared'))?.spec.dnsNames;
const problem = (whose: string): string =>
  `BadConfig: spec.tls[0].secretName "shared" is that of a Certificate which ${whose} and is not for b.example.com; name another Secret, or have its owner add them.`;

describe('an Ingress whose secretName is that of a Certificate of others', () => {
  it('says so, and has its own as soon as the other Ingress has gone', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    const world = await aWorld(ground);
    await anIngress(ground, 'one', 'a.example.com');
    await world.until('Ready', ready(ground, 'shared'));
    await anIngress(ground, 'two', 'b.example.com');
    await world.settle();
    expect(await ground.eventsOf('Ingress', 'two')).toEqual([problem('is of Ingress "one"')]);
    expect(await namesOf(ground)).toEqual(['a.example.com']);
    await ground.store.delete(ingresses, { namespace, name: 'one' });
    await world.until('its own', async () => (await namesOf(ground))?.[0] === 'b.example.com', {
      withinMs: 1_000,
    });
    await world.until('Ready', ready(ground, 'shared'));
  });

  it('says so of one made by hand, each time that it is news, and has its own when that has gone', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    const world = await aWorld(ground);
    const byHand = await ground.store.create(
      certificates,
      aCertificate({ secretName: 'shared' }, { name: 'shared' }),
    );
    await anIngress(ground, 'two', 'b.example.com');
    await world.settle();
    const said = [problem('is not made from an Ingress')];
    expect(await ground.eventsOf('Ingress', 'two')).toEqual(said);
    await ground.store.update(certificates, {
      ...(await ground.store.get(certificates, { namespace, name: 'shared' })),
      spec: { ...byHand.spec, dnsNames: ['site.example.com', 'b.example.com'] },
    });
    await world.settle();
    expect(await ground.eventsOf('Ingress', 'two')).toEqual(said);
    await ground.store.delete(certificates, { namespace, name: 'shared' });
    await world.until('its own', async () => (await namesOf(ground))?.length === 1, { withinMs: 1_000 });
  });
});
