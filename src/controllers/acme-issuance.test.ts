import { describe, expect, it } from 'vitest';
import { challenges } from '../api/acme/challenge.ts';
import { orders } from '../api/acme/order.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { anAcmeServer } from './acme-server.testing.ts';
import { aCertificate, anAcmeIssuer, ready } from './objects.testing.ts';
import { aGround, aWorld } from './world.testing.ts';

it('a certificate through a temporary Ingress takes fifteen writes, and two more for the first of a namespace', async () => {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  const world = await aWorld(ground);
  await world.settle();
  ground.writes.splice(0);
  await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' } }));
  await world.until('Ready', ready(ground));
  await world.settle();
  console.log(ground.writes.map(({ what }) => what));
  console.log(await ground.eventsOf('Certificate', 'site'), await ground.eventsOf('Order', 'site'));
});
