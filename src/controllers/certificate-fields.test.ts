import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Certificate, type CertificateSpec, certificates } from '../api/cert-manager/certificate.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { findCondition } from '../api/condition.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import { type CertificateInfo, parseCertificate, parseCertificates } from '../pki/certificate.ts';
import { keyKindOf, parsePrivateKey, samePublicKey } from '../pki/private-key.ts';
import { signCertificate } from '../pki/sign.ts';
import { subjectName } from '../pki/subject.ts';
import { createAuthority } from './authority.testing.ts';
import { aCaIssuer, aCertificate, anIssuer, aSecret, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World } from './world.testing.ts';

interface Bed {
  readonly ground: Ground;
  readonly world: World;
  readonly secret: Secret;
  readonly leaf: CertificateInfo;
  readonly key: KeyObject;
}

/** A Certificate with this spec, issued by the CA issuer. */
async function issued(spec: Partial<CertificateSpec>): Promise<Bed> {
  const ground = aGround();
  await aCaIssuer(ground);
  const world = await aWorld(ground);
  await ground.store.create(certificates, aCertificate(spec));
  await world.until('Ready', ready(ground));
  await world.settle();
  return { ground, world, ...(await inSecret(ground)) };
}

async function inSecret(ground: Ground): Promise<Omit<Bed, 'ground' | 'world'>> {
  const secret = (await ground.get(secrets, 'site-tls')) as Secret;
  return {
    secret,
    leaf: parseCertificate((await textIn(ground, 'site-tls', 'tls.crt')) ?? ''),
    key: parsePrivateKey((await textIn(ground, 'site-tls', 'tls.key')) ?? ''),
  };
}

/** Changes the spec, as its owner would. */
async function respecify(ground: Ground, change: Partial<CertificateSpec>): Promise<void> {
  const certificate = (await ground.get(certificates, 'site')) as Certificate;
  await ground.store.update(certificates, { ...certificate, spec: { ...certificate.spec, ...change } });
}

describe('what a CA signs has of the spec', () => {
  const cases: [what: string, spec: Partial<CertificateSpec>, wanted: object][] = [
    [
      'DNS names',
      { dnsNames: ['a.example.com', '*.b.example.com'] },
      { dnsNames: ['a.example.com', '*.b.example.com'] },
    ],
    [
      'IP addresses',
      { ipAddresses: ['192.0.2.1', '2001:db8::1'] },
      { ipAddresses: ['192.0.2.1', '2001:db8::1'] },
    ],
    ['URIs', { uris: ['spiffe://cluster.local/ns/x'] }, { uris: ['spiffe://cluster.local/ns/x'] }],
    ['e-mail addresses', { emailAddresses: ['ops@example.com'] }, { emailAddresses: ['ops@example.com'] }],
    [
      'other names',
      { otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'user@corp' }] },
      { otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'user@corp' }] },
    ],
    ['the common name', { commonName: 'site.example.com' }, { commonName: 'site.example.com' }],
    [
      'extended usages',
      { usages: ['digital signature', 'client auth', 'code signing', 'timestamping'] },
      { usages: ['digital signature', 'client auth', 'code signing', 'timestamping'] },
    ],
    [
      'an authority',
      { isCA: true, commonName: 'sub', usages: ['cert sign', 'crl sign'] },
      { isCA: true, usages: ['cert sign', 'crl sign'] },
    ],
    ['the duration', { duration: '24h' }, { lifetimeMs: 24 * 3_600_000 + 60_000 }],
    [
      'an RSA key',
      { privateKey: { algorithm: 'RSA', size: 3072 } },
      { keyKind: { algorithm: 'RSA', size: 3072 } },
    ],
    [
      'an ECDSA key',
      { privateKey: { algorithm: 'ECDSA', size: 521 } },
      { keyKind: { algorithm: 'ECDSA', size: 521 } },
    ],
    ['an Ed25519 key', { privateKey: { algorithm: 'Ed25519' } }, { keyKind: { algorithm: 'Ed25519' } }],
    [
      'a literal subject, in its order',
      { literalSubject: 'CN=site,OU=gates+OU=walls,DC=example,DC=com' },
      { subjectText: 'CN=site,OU=gates+OU=walls,DC=example,DC=com' },
    ],
  ];

  it.each(cases)('%s', async (_what, spec, wanted) => {
    const { leaf, key } = await issued(spec);
    const { dnsNames, ipAddresses, uris, emailAddresses, otherNames, commonName, usages, isCA } = leaf;
    const names = { dnsNames, ipAddresses, uris, emailAddresses, otherNames, commonName, usages, isCA };
    const lifetimeMs = leaf.notAfterMs - leaf.notBeforeMs;
    const found = { ...names, lifetimeMs, keyKind: keyKindOf(key), subjectText: leaf.subject.text };
    expect(found).toMatchObject(wanted);
    expect(samePublicKey(key, leaf.publicKey)).toBe(true);
  });

  it('the subject; and the Secret says it, with the e-mail addresses, in lines of CSV', async () => {
    const subject = {
      organizations: ['Gates, Inc.', 'Walls'],
      organizationalUnits: ['doors'],
      countries: ['CH'],
      provinces: ['ZH'],
      localities: ['Zürich'],
      streetAddresses: ['1 "Main" St'],
      postalCodes: ['8000'],
      serialNumber: '42',
    };
    const { secret, ground, world } = await issued({
      subject,
      emailAddresses: ['a@example.com', 'b@example.com'],
    });
    const facts = {
      'cert-manager.io/email-sans': 'a@example.com,b@example.com',
      'cert-manager.io/subject-organizations': 'Walls,"Gates, Inc."',
      'cert-manager.io/subject-organizationalunits': 'doors',
      'cert-manager.io/subject-countries': 'CH',
      'cert-manager.io/subject-provinces': 'ZH',
      'cert-manager.io/subject-localities': 'Zürich',
      'cert-manager.io/subject-streetaddresses': '"1 ""Main"" St"',
      'cert-manager.io/subject-postalcodes': '8000',
      'cert-manager.io/subject-serialnumber': '42',
    };
    expect(secret.metadata.annotations).toMatchObject(facts);
    // They go with what they speak of.
    await respecify(ground, { subject: undefined, emailAddresses: undefined });
    await world.until('issued again', ready(ground, 'site', 2));
    const { annotations } = (await inSecret(ground)).secret.metadata;
    expect(Object.keys(annotations ?? {}).filter(name => name in facts)).toEqual([]);
  });

  it('name constraints', async () => {
    const { leaf } = await issued({
      isCA: true,
      commonName: 'sub',
      nameConstraints: {
        critical: true,
        permitted: { dnsDomains: ['example.com'], ipRanges: ['10.0.0.0/8'] },
        excluded: { dnsDomains: ['secret.example.com'] },
      },
    });
    // id-ce-nameConstraints, critical.
    expect(leaf.der.includes(Buffer.from('0603551d1e0101ff', 'hex'))).toBe(true);
    expect(leaf.der.includes(Buffer.from('secret.example.com'))).toBe(true);
  });
});

describe('a CA issuer', () => {
  async function withChain() {
    const ground = aGround();
    const root = await createAuthority('Root', ground.clock.now());
    const key = createPrivateKey(root.privateKey);
    const subKey = createPrivateKey((await createAuthority('unused', ground.clock.now())).privateKey);
    const intermediate = await signCertificate({
      subject: subjectName({ commonName: 'Intermediate' }),
      isCA: true,
      notBeforeMs: ground.clock.now() - 1_000,
      notAfterMs: ground.clock.now() + 1e10,
      publicKey: createPublicKey(subKey),
      issuer: { certificate: root.certificate, key },
    });
    return { ground, root, intermediate, subKeyPem: subKey.export({ format: 'pem', type: 'pkcs8' }) };
  }

  it('gives the intermediates along, and the root as ca.crt', async () => {
    const { ground, root, intermediate, subKeyPem } = await withChain();
    const pair = { 'tls.crt': intermediate + root.certificate, 'tls.key': subKeyPem };
    await ground.store.create(secrets, aSecret('ca-pair', pair));
    await ground.store.create(issuers, anIssuer('ca', { ca: { secretName: 'ca-pair' } }));
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate());
    await world.until('Ready', ready(ground));
    const chain = parseCertificates((await textIn(ground, 'site-tls', 'tls.crt')) ?? '');
    expect(chain.map(({ issuer }) => issuer.text)).toEqual(['CN=Intermediate', 'CN=Root']);
    expect(await textIn(ground, 'site-tls', 'ca.crt')).toBe(root.certificate);
  });

  it('is not Ready with a certificate that is no part of its chain', async () => {
    const { ground, intermediate, subKeyPem } = await withChain();
    const stranger = await createAuthority('Stranger', ground.clock.now());
    const pair = { 'tls.crt': intermediate + stranger.certificate, 'tls.key': subKeyPem };
    await ground.store.create(secrets, aSecret('ca-pair', pair));
    await ground.store.create(issuers, anIssuer('ca', { ca: { secretName: 'ca-pair' } }));
    await (await aWorld(ground)).settle();
    const issuer = await ground.get(issuers, 'ca');
    const condition = findCondition(issuer?.status?.conditions, 'Ready');
    expect(condition).toMatchObject({ status: 'False', reason: 'ErrInvalidKeyPair' });
    expect(condition?.message).toContain('do not form one chain');
    expect(condition?.message).toContain('then those above it, and nothing else');
  });

  it('puts its addresses into what it signs', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    const issuer = await ground.get(issuers, 'ca');
    const ca = {
      secretName: 'ca-pair',
      crlDistributionPoints: ['http://crl.example.com/ca.crl'],
      ocspServers: ['http://ocsp.example.com'],
      issuingCertificateURLs: ['http://ca.example.com/ca.crt'],
    };
    await ground.store.update(issuers, {
      ...issuer,
      ...anIssuer('ca', { ca }),
      metadata: issuer?.metadata ?? {},
    });
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate());
    await world.until('Ready', ready(ground));
    const { leaf } = await inSecret(ground);
    expect(new X509Certificate(leaf.pem).infoAccess?.split('\n').filter(Boolean)).toEqual([
      'OCSP - URI:http://ocsp.example.com',
      'CA Issuers - URI:http://ca.example.com/ca.crt',
    ]);
    expect(leaf.der.includes(Buffer.from('http://crl.example.com/ca.crl'))).toBe(true);
  });

  it.each(['ca', 'selfSigned'] as const)(
    'of type %s is not Ready with an address that is none',
    async type => {
      const ground = aGround();
      await aCaIssuer(ground);
      const urls = { crlDistributionPoints: ['crl.example.com'] };
      const spec = type === 'ca' ? { ca: { secretName: 'ca-pair', ...urls } } : { selfSigned: urls };
      await ground.store.create(issuers, anIssuer('bad', spec));
      await (await aWorld(ground)).settle();
      const condition = findCondition((await ground.get(issuers, 'bad'))?.status?.conditions, 'Ready');
      expect(condition).toMatchObject({ status: 'False', reason: 'InvalidConfig' });
      expect(condition?.message).toContain(`spec.${type}.crlDistributionPoints has "crl.example.com"`);
    },
  );
});

it('a self-signed issuer signs with the algorithm that the Certificate asks for, and names its revocation list', async () => {
  const ground = aGround();
  const crlDistributionPoints = ['http://crl.example.com/self.crl'];
  await ground.store.create(issuers, anIssuer('self', { selfSigned: { crlDistributionPoints } }));
  const world = await aWorld(ground);
  const spec = { issuerRef: { name: 'self' }, signatureAlgorithm: 'ECDSAWithSHA512' } as const;
  await ground.store.create(certificates, aCertificate(spec));
  await world.until('Ready', ready(ground));
  const { leaf } = await inSecret(ground);
  // ecdsa-with-SHA512
  expect(leaf.der.includes(Buffer.from('06082a8648ce3d040304', 'hex'))).toBe(true);
  expect(leaf.der.includes(Buffer.from(crlDistributionPoints[0] ?? ''))).toBe(true);
});

describe('the private key', () => {
  it.each([
    [{ algorithm: 'RSA' }, 'RSA PRIVATE KEY'],
    [{ algorithm: 'RSA', encoding: 'PKCS8' }, 'PRIVATE KEY'],
    [{ algorithm: 'ECDSA' }, 'EC PRIVATE KEY'],
    [{ algorithm: 'ECDSA', encoding: 'PKCS8' }, 'PRIVATE KEY'],
    [{ algorithm: 'Ed25519', encoding: 'PKCS1' }, 'PRIVATE KEY'],
  ] as const)('of %o is in a block %s', async (privateKey, label) => {
    const { ground } = await issued({ privateKey });
    expect((await textIn(ground, 'site-tls', 'tls.key'))?.split('\n')[0]).toBe(`-----BEGIN ${label}-----`);
  });

  it('is written in another encoding without issuing', async () => {
    const { ground, world, key, leaf } = await issued({ additionalOutputFormats: [{ type: 'DER' }] });
    await respecify(ground, { privateKey: { algorithm: 'ECDSA', encoding: 'PKCS8' } });
    await world.settle();
    const after = await inSecret(ground);
    expect(await textIn(ground, 'site-tls', 'tls.key')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(after.secret.data?.['key.der']).toBe(
      key.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    );
    expect(after.key.equals(key)).toBe(true);
    expect(after.leaf.serialNumber).toBe(leaf.serialNumber);
  });

  it('of the issuance under way is named in the status until it is over', async () => {
    const ground = aGround();
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate());
    const name = await world.until(
      'the name',
      async () => (await ground.get(certificates, 'site'))?.status?.nextPrivateKeySecretName,
    );
    const stored = await ground.get(secrets, name);
    expect(stored?.metadata.labels).toMatchObject({ 'cert-manager.io/next-private-key': 'true' });
    await aCaIssuer(ground);
    const { status } = await world.until('Ready', ready(ground));
    await world.settle();
    expect(status).not.toHaveProperty('nextPrivateKeySecretName');
    expect(await ground.get(secrets, name)).toBeUndefined();
  });
});
