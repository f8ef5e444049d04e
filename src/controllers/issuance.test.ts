import { describe, expect, it } from 'vitest';
import { certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { findCondition } from '../api/condition.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { keyFitsCertificate } from '../pki/key-pair.ts';
import { aCaIssuer, aCertificate, anIssuer, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground } from './world.testing.ts';

async function leafIn(ground: Ground, secretName = 'site-tls') {
  return parseCertificate((await textIn(ground, secretName, 'tls.crt')) ?? '');
}

describe('a certificate by a CA issuer', () => {
  it('takes six writes, each of which is needed, and two events', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    const world = await aWorld(ground);
    await world.settle();
    ground.writes.splice(0);
    await ground.store.create(certificates, aCertificate());
    const certificate = await world.until('Ready', ready(ground));
    await world.settle();
    expect(ground.writes.map(({ what }) => what)).toEqual([
      'create Secret', // the next private key, kept before it is used
      'create CertificateRequest',
      'update CertificateRequest status', // approved and signed
      'create Secret',
      'update Certificate status',
      'delete Secret', // the private key is where it belongs now
    ]);
    expect(await ground.eventsOf('Certificate', 'site')).toEqual([
      'Issuing: Issuing a certificate: Secret "site-tls" does not exist yet.',
      'Issuing: The certificate has been issued.',
    ]);
    expect(certificate.status).toMatchObject({ revision: 1 });
    expect(certificate.status).not.toHaveProperty('nextPrivateKeySecretName');
  });

  it('is in a Secret that says where it comes from, with a key that fits', async () => {
    const ground = aGround();
    const authority = await aCaIssuer(ground);
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate());
    await world.until('Ready', ready(ground));
    const secret = await ground.get(secrets, 'site-tls');
    expect(secret).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: {
        labels: { 'controller.cert-manager.io/fao': 'true' },
        annotations: {
          'cert-manager.io/alt-names': 'site.example.com',
          'cert-manager.io/common-name': '',
          'cert-manager.io/ip-sans': '',
          'cert-manager.io/uri-sans': '',
          'cert-manager.io/certificate-name': 'site',
          'cert-manager.io/issuer-name': 'ca',
          'cert-manager.io/issuer-kind': 'Issuer',
          'cert-manager.io/issuer-group': 'cert-manager.io',
        },
      },
    });
    expect(secret?.metadata.ownerReferences).toBeUndefined();
    const [key, chain] = [
      await textIn(ground, 'site-tls', 'tls.key'),
      await textIn(ground, 'site-tls', 'tls.crt'),
    ];
    expect(keyFitsCertificate(key ?? '', chain ?? '')).toEqual({ verdict: 'fits' });
    expect(await textIn(ground, 'site-tls', 'ca.crt')).toBe(authority.certificate);
    const request = await ground.get(certificateRequests, 'site-1');
    expect(findCondition(request?.status?.conditions, 'Approved')).toMatchObject({ status: 'True' });
    expect(findCondition(request?.status?.conditions, 'Ready')).toMatchObject({
      status: 'True',
      reason: 'Issued',
    });
  });

  it('never outlives its authority', async () => {
    const ground = aGround();
    const lifetimeMs = 48 * 3_600_000;
    await aCaIssuer(ground, lifetimeMs);
    const world = await aWorld(ground);
    const endMs = ground.clock.now() + lifetimeMs;
    await ground.store.create(certificates, aCertificate());
    await world.until('Ready', ready(ground));
    expect((await leafIn(ground)).notAfterMs).toBe(endMs);
  });
});

it('a self-signed issuer signs with the key itself', async () => {
  const ground = aGround();
  await ground.store.create(issuers, anIssuer('self', { selfSigned: {} }));
  const world = await aWorld(ground);
  await ground.store.create(
    certificates,
    aCertificate({ issuerRef: { name: 'self' }, isCA: true, commonName: 'root' }),
  );
  await world.until('Ready', ready(ground));
  const leaf = await leafIn(ground);
  expect(leaf).toMatchObject({ selfSigned: true, isCA: true, commonName: 'root' });
  expect(await textIn(ground, 'site-tls', 'ca.crt')).toBe(leaf.pem);
});
