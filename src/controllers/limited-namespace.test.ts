import { describe, expect, it } from 'vitest';
import { certificates } from '../api/cert-manager/certificate.ts';
import { clusterIssuers, type Issuer } from '../api/cert-manager/issuer.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { anAcmeServer } from './acme-server.testing.ts';
import { createAuthority } from './authority.testing.ts';
import { aCertificate, aSecret, ready } from './objects.testing.ts';
import { aGround, aWorld, namespace } from './world.testing.ts';

function aClusterIssuer(spec: Issuer['spec']): Issuer {
  return { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name: 'everywhere' }, spec };
}

const byEverywhere = { issuerRef: { name: 'everywhere', kind: 'ClusterIssuer' } };
const inSystem = { metadata: { name: 'everywhere', namespace: 'system' } };

describe('where Postern is limited to a namespace, and the Secrets of ClusterIssuers are in another one', () => {
  it('an ACME account registers there, and its key is found', async () => {
    const ground = aGround();
    const acme = await anAcmeServer(() => ground.clock.now());
    const privateKeySecretRef = { name: 'account' };
    const solvers = [{ http01: { ingress: {} } }];
    const world = await aWorld(ground, { limitedTo: namespace });
    await ground.store.create(
      clusterIssuers,
      aClusterIssuer({ acme: { server: acme.directoryUrl, privateKeySecretRef, solvers } }),
    );
    await ground.store.create(certificates, aCertificate(byEverywhere));
    await world.until('the Certificate is Ready', ready(ground));
    const kept = await ground.store.get(secrets, { namespace: 'system', name: 'account' });
    expect(Object.keys(kept.data ?? {})).toEqual(['tls.key']);
  });

  it('an authority is found there, also one that comes after its issuer', async () => {
    const ground = aGround();
    const world = await aWorld(ground, { limitedTo: namespace });
    await ground.store.create(clusterIssuers, aClusterIssuer({ ca: { secretName: 'everywhere' } }));
    await ground.store.create(certificates, aCertificate(byEverywhere));
    await world.settle();
    expect(await ready(ground)()).toBeUndefined();
    const { certificate, privateKey } = await createAuthority('Test CA', ground.clock.now());
    const pair = { 'tls.crt': certificate, 'tls.key': privateKey };
    await ground.store.create(secrets, aSecret('everywhere', pair, inSystem));
    await world.until('the Certificate is Ready', ready(ground), { withinMs: 90_000 });
  });

  it('nothing else of that namespace is touched', async () => {
    const ground = aGround();
    const world = await aWorld(ground, { limitedTo: namespace });
    const elsewhere = aCertificate({}, { name: 'site', namespace: 'system' });
    await ground.store.create(certificates, elsewhere);
    await world.settle();
    expect(
      (await ground.store.get(certificates, { namespace: 'system', name: 'site' })).status,
    ).toBeUndefined();
    expect(ground.writes).toEqual([]);
  });
});
