import { describe, expect, it } from 'vitest';
import type { AcmeIssuerConfig } from '../api/acme/issuer-config.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { clusterIssuers, type Issuer, issuers } from '../api/cert-manager/issuer.ts';
import { findCondition } from '../api/condition.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { createAuthority } from './authority.testing.ts';
import { aCaIssuer, aCertificate, anIssuer, aSecret, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, namespace } from './world.testing.ts';

/** Nobody answers there: what an issuer names is its own all the same. */
const acme: AcmeIssuerConfig = {
  server: 'http://127.0.0.1:1/directory',
  privateKeySecretRef: { name: 'theirs' },
  solvers: [],
};
const binding = {
  ...acme,
  privateKeySecretRef: { name: 'account' },
  externalAccountBinding: { keyID: 'kid', keySecretRef: { name: 'theirs', key: 'secret' } },
};
const named = { secretName: 'theirs' };

const readyConditionOf = async (ground: Ground) =>
  findCondition((await ground.get(certificates, 'site'))?.status?.conditions, 'Ready');

async function withTheirs(spec: Issuer['spec'], cluster = false) {
  const ground = aGround();
  await aCaIssuer(ground);
  const { certificate, privateKey } = await createAuthority('Theirs', ground.clock.now());
  const pair = { 'tls.crt': certificate, 'tls.key': privateKey, secret: 'binding' };
  await ground.store.create(secrets, aSecret('theirs', pair));
  const issuer = anIssuer('other', spec);
  if (!cluster) await ground.store.create(issuers, issuer);
  else
    await ground.store.create(clusterIssuers, {
      ...issuer,
      kind: 'ClusterIssuer',
      metadata: { name: 'other' },
    });
  return { ground, privateKey };
}

describe('a Certificate is not written over the Secret of an issuer', () => {
  it.each<[string, Issuer['spec'], string, boolean?]>([
    ['its account key', { acme }, 'Issuer "other" (spec.acme.privateKeySecretRef)'],
    ['its binding', { acme: binding }, 'Issuer "other" (spec.acme.externalAccountBinding.keySecretRef)'],
    ['its authority', { ca: named }, 'Issuer "other" (spec.ca.secretName)'],
    [
      "a ClusterIssuer's account key",
      { acme },
      'ClusterIssuer "other" (spec.acme.privateKeySecretRef)',
      true,
    ],
  ])('%s, and says so', async (_what, spec, whose, cluster) => {
    const { ground, privateKey } = await withTheirs(spec, cluster);
    const world = await aWorld(ground, { controllers: { clusterResourceNamespace: namespace } });
    await ground.store.create(certificates, aCertificate(named));
    const condition = await world.until('Ready is False', () => readyConditionOf(ground));
    const message = `Secret "theirs" of spec.secretName is that of ${whose}, whose key would be lost; name another Secret.`;
    expect(condition).toMatchObject({ status: 'False', reason: 'UnusableSecret', message });
    await world.sleep(20 * 60_000);
    expect(await textIn(ground, 'theirs', 'tls.key')).toBe(privateKey);
    expect(await ground.eventsOf('Certificate', 'site')).toEqual([`UnusableSecret: ${message}`]);
  });

  it('and goes on when the issuer names another one', async () => {
    const { ground } = await withTheirs({ acme });
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate(named));
    await world.until('Ready is False', () => readyConditionOf(ground));
    const issuer = await ground.store.get(issuers, { namespace, name: 'other' });
    await ground.store.update(issuers, {
      ...issuer,
      spec: { acme: { ...acme, privateKeySecretRef: { name: 'account' } } },
    });
    await world.until('Ready', ready(ground), { withinMs: 1_000 });
  });

  it('that an issuer begins to name while the certificate is there', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate(named));
    await world.until('Ready', ready(ground));
    await ground.store.create(issuers, anIssuer('other', { acme }));
    await world.settle();
    expect(await readyConditionOf(ground)).toMatchObject({ status: 'False', reason: 'UnusableSecret' });
  });
});

it('an authority is made from nothing, and renewed, by the Certificate that its Secret names', async () => {
  const ground = aGround();
  await ground.store.create(issuers, anIssuer('self', { selfSigned: {} }));
  await ground.store.create(issuers, anIssuer('own', { ca: { secretName: 'site-tls' } }));
  const world = await aWorld(ground);
  const own = aCertificate({ isCA: true, commonName: 'Own CA', issuerRef: { name: 'self' }, duration: '2h' });
  await ground.store.create(certificates, own);
  await world.until('Ready', ready(ground));
  await ground.store.create(
    certificates,
    aCertificate({ secretName: 'leaf', issuerRef: { name: 'own' } }, { name: 'leaf' }),
  );
  await world.until('a leaf is signed', ready(ground, 'leaf'));
  await world.sleep(90 * 60_000);
  await world.until('the authority is renewed', ready(ground, 'site', 2));
});
