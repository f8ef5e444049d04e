import { describe, expect, it } from 'vitest';
import { certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { findCondition } from '../api/condition.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { encodePrivateKey, generatePrivateKey } from '../pki/private-key.ts';
import { temporarySerialNumber } from './certificate/temporary.ts';
import { aCaIssuer, aCertificate, anIssuer, aSecret, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World } from './world.testing.ts';

const site = { namespace: 'default', name: 'site-tls' };

async function anIssued(): Promise<{ ground: Ground; world: World }> {
  const ground = aGround();
  await aCaIssuer(ground);
  const world = await aWorld(ground);
  await ground.store.create(certificates, aCertificate());
  await world.until('Ready', ready(ground));
  await world.settle();
  return { ground, world };
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

async function change(ground: Ground, edit: (secret: Secret) => Secret): Promise<void> {
  await ground.store.update(secrets, edit(await ground.store.get(secrets, site)));
}

const withData =
  (data: Record<string, string>) =>
  (secret: Secret): Secret => ({
    ...secret,
    data: { ...secret.data, ...data },
  });
const withAnnotations =
  (annotations: Record<string, string>) =>
  (secret: Secret): Secret => ({
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, ...annotations } },
  });

describe('a Secret that was', () => {
  const anotherKey = async (): Promise<string> =>
    encode(encodePrivateKey(await generatePrivateKey({ algorithm: 'ECDSA' })));

  it.each([
    ['deleted', async (ground: Ground) => ground.store.delete(secrets, site), 'does not exist yet'],
    ['robbed of its key', (ground: Ground) => change(ground, withData({ 'tls.key': '' })), 'has no tls.key'],
    [
      'robbed of its certificate',
      (ground: Ground) => change(ground, withData({ 'tls.crt': '' })),
      'has no tls.crt',
    ],
    [
      'given a key that is none',
      (ground: Ground) => change(ground, withData({ 'tls.key': encode('rubbish') })),
      'holds no usable pair',
    ],
    [
      'given a key of its own',
      async (ground: Ground) => change(ground, withData({ 'tls.key': await anotherKey() })),
      'does not belong to the certificate',
    ],
    [
      'given a certificate that is none',
      (ground: Ground) => change(ground, withData({ 'tls.crt': encode('rubbish') })),
      'holds no usable pair',
    ],
    [
      'marked as of another issuer',
      (ground: Ground) => change(ground, withAnnotations({ 'cert-manager.io/issuer-name': 'other' })),
      'The certificate was issued by Issuer "other" (cert-manager.io); the spec asks for Issuer "ca" (cert-manager.io).',
    ],
    [
      'marked as of another Certificate',
      (ground: Ground) => change(ground, withAnnotations({ 'cert-manager.io/certificate-name': 'other' })),
      'The Secret was issued for Certificate "other".',
    ],
  ])('%s is issued again, and the event says why', async (_what, damage, why) => {
    const { ground, world } = await anIssued();
    await damage(ground);
    await world.until('issued again', ready(ground, 'site', 2));
    expect(await ground.eventsOf('Certificate', 'site')).toContainEqual(expect.stringContaining(why));
    await world.sleep(60_000);
    expect((await ground.get(certificates, 'site'))?.status?.revision).toBe(2);
  });

  it('robbed of its labels and annotations gets them back without being issued again', async () => {
    const { ground, world } = await anIssued();
    await change(ground, secret => {
      const { labels: _labels, ...metadata } = secret.metadata;
      return {
        ...secret,
        metadata: { ...metadata, annotations: { ...metadata.annotations, 'cert-manager.io/alt-names': 'x' } },
      };
    });
    await world.until('mended', async () => {
      const { labels, annotations } = (await ground.get(secrets, 'site-tls'))?.metadata ?? {};
      return (
        labels?.['controller.cert-manager.io/fao'] === 'true' &&
        annotations?.['cert-manager.io/alt-names'] === 'site.example.com'
      );
    });
    expect((await ground.get(certificates, 'site'))?.status?.revision).toBe(1);
  });

  it('made by others before keeps its type, its labels and what else is in it', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    await ground.store.create(secrets, {
      ...aSecret('site-tls', { 'ca.crt': 'old', extra: 'theirs' }),
      metadata: { name: 'site-tls', namespace: 'default', labels: { app: 'web' } },
    });
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate());
    await world.until('Ready', ready(ground));
    const secret = await ground.get(secrets, 'site-tls');
    expect(secret).toMatchObject({ type: 'Opaque', metadata: { labels: { app: 'web' } } });
    expect(await textIn(ground, 'site-tls', 'extra')).toBe('theirs');
    expect(await textIn(ground, 'site-tls', 'ca.crt')).toContain('BEGIN CERTIFICATE');
  });

  it.each([
    ['of another program', { type: 'helm.sh/release.v1' }, 'is of type helm.sh/release.v1'],
    ['made immutable', { immutable: true }, 'is immutable; delete it'],
  ])('%s is left alone, and the Certificate says so once', async (_what, more, why) => {
    const ground = aGround();
    await aCaIssuer(ground);
    const theirs = await ground.store.create(secrets, aSecret('site-tls', { release: 'theirs' }, more));
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate());
    const condition = await world.until('Ready is False', async () =>
      findCondition((await ground.get(certificates, 'site'))?.status?.conditions, 'Ready'),
    );
    expect(condition).toMatchObject({ status: 'False', reason: 'UnusableSecret' });
    expect(condition.message).toContain(why);
    await world.sleep(20 * 60_000);
    expect(await ground.eventsOf('Certificate', 'site')).toHaveLength(1);
    expect(await ground.get(secrets, 'site-tls')).toEqual(theirs);
    expect(await ground.all(certificateRequests)).toEqual([]);
  });
});

it('spec.secretTemplate is kept up on the Secret', async () => {
  const { ground, world } = await anIssued();
  const certificate = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
  const secretTemplate = { labels: { app: 'web' }, annotations: { 'example.com/for': 'web' } };
  await ground.store.update(certificates, { ...certificate, spec: { ...certificate.spec, secretTemplate } });
  const hasBoth = async (): Promise<boolean> => {
    const { labels, annotations } = (await ground.get(secrets, 'site-tls'))?.metadata ?? {};
    return labels?.['app'] === 'web' && annotations?.['example.com/for'] === 'web';
  };
  await world.until('both are there', hasBoth);
  await change(ground, secret => ({
    ...secret,
    metadata: { ...secret.metadata, labels: { app: 'theirs' } },
  }));
  await world.until('both are there again', hasBoth);
});

describe('two Certificates with one Secret', () => {
  it('the older has it; the younger says so once, and has it when the other is gone', async () => {
    const { ground, world } = await anIssued();
    await world.sleep(1_000);
    await ground.store.create(
      certificates,
      aCertificate({ dnsNames: ['b.example.com'] }, { name: 'a-younger' }),
    );
    await world.settle();
    const waiting = await ground.get(certificates, 'a-younger');
    expect(findCondition(waiting?.status?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'DuplicateSecretName',
      message:
        'spec.secretName "site-tls" is already used by Certificate "site"; give each Certificate a Secret of its own.',
    });
    await world.sleep(30 * 60_000);
    expect(await ground.eventsOf('Certificate', 'a-younger')).toHaveLength(1);
    expect((await ground.get(certificates, 'site'))?.status?.revision).toBe(1);

    await ground.store.delete(certificates, { namespace: 'default', name: 'site' });
    await world.until('the younger has it', ready(ground, 'a-younger'));
    expect(parseCertificate((await textIn(ground, 'site-tls', 'tls.crt')) ?? '').dnsNames).toEqual([
      'b.example.com',
    ]);
  });

  it('of one age the first by name has it', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    for (const name of ['b', 'a', 'c']) await ground.store.create(certificates, aCertificate({}, { name }));
    const world = await aWorld(ground);
    await world.until('the first has it', ready(ground, 'a'));
    for (const name of ['b', 'c']) {
      const waiting = findCondition((await ground.get(certificates, name))?.status?.conditions, 'Ready');
      expect(waiting?.message).toContain('is already used by Certificate "a"');
    }
  });

  it('the one that the Secret was issued for has it, however young', async () => {
    const { ground, world } = await anIssued();
    await world.stop();
    await ground.store.create(certificates, aCertificate({}, { name: 'aaa' }));
    const next = await aWorld(ground);
    await next.settle();
    expect((await ground.get(certificates, 'site'))?.status?.revision).toBe(1);
    const other = await ground.get(certificates, 'aaa');
    expect(findCondition(other?.status?.conditions, 'Ready')?.reason).toBe('DuplicateSecretName');
  });
});

describe('cert-manager.io/issue-temporary-certificate', () => {
  it('has a self-signed certificate in the Secret until the signed one comes, and it is not Ready', async () => {
    const ground = aGround();
    const annotations = { 'cert-manager.io/issue-temporary-certificate': 'true' };
    const world = await aWorld(ground);
    await ground.store.create(
      certificates,
      aCertificate({ issuerRef: { name: 'late' } }, { name: 'site', annotations }),
    );
    await world.settle();
    const temporary = parseCertificate((await textIn(ground, 'site-tls', 'tls.crt')) ?? '');
    expect(temporary).toMatchObject({ selfSigned: true, serialNumber: temporarySerialNumber });
    const key = await textIn(ground, 'site-tls', 'tls.key');
    const waiting = await world.until('a status', async () =>
      findCondition((await ground.get(certificates, 'site'))?.status?.conditions, 'Ready'),
    );
    expect(waiting).toMatchObject({ status: 'False', reason: 'DoesNotExist' });

    await ground.store.create(issuers, anIssuer('late', { selfSigned: {} }));
    await world.until('Ready', ready(ground));
    const signed = parseCertificate((await textIn(ground, 'site-tls', 'tls.crt')) ?? '');
    expect(signed.serialNumber).not.toBe(temporary.serialNumber);
    // What was served for a moment goes on being served: the key is the same.
    expect(await textIn(ground, 'site-tls', 'tls.key')).toBe(key);
  });

  it('leaves a pair alone that can be served', async () => {
    const { ground, world } = await anIssued();
    const chain = await textIn(ground, 'site-tls', 'tls.crt');
    const certificate = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
    await ground.store.update(certificates, {
      ...certificate,
      metadata: {
        ...certificate.metadata,
        annotations: { 'cert-manager.io/issue-temporary-certificate': 'true' },
      },
      spec: { ...certificate.spec, issuerRef: { name: 'missing' } },
    });
    await world.sleep(10_000);
    expect(await textIn(ground, 'site-tls', 'tls.crt')).toBe(chain);
  });
});

it('with --enable-certificate-owner-ref the Secret goes with its Certificate, and gets its owner if it has none', async () => {
  const { ground, world } = await anIssued();
  await world.stop();
  await aWorld(ground, { controllers: { ownerRefOnSecrets: true } }).then(next =>
    next.until('the owner is there', async () => {
      const owners = (await ground.get(secrets, 'site-tls'))?.metadata.ownerReferences;
      return owners?.[0]?.kind === 'Certificate';
    }),
  );
  await ground.store.delete(certificates, { namespace: 'default', name: 'site' });
  await ground.store.tidy();
  expect(await ground.get(secrets, 'site-tls')).toBeUndefined();
});

it('a Certificate that is deleted mid-way takes all along, and no Secret is made any more', async () => {
  const ground = aGround();
  const world = await aWorld(ground);
  await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'late' } }));
  await world.until('the request is there', () => ground.get(certificateRequests, 'site-1'));
  await ground.store.delete(certificates, { namespace: 'default', name: 'site' });
  await ground.store.create(issuers, anIssuer('late', { selfSigned: {} }));
  await world.settle();
  await ground.store.tidy();
  await world.sleep(60_000);
  expect(await ground.all(certificateRequests)).toEqual([]);
  expect((await ground.all(secrets)).map(({ metadata }) => metadata.name)).toEqual([]);
});

describe('a name that is needed and taken', () => {
  it('by a CertificateRequest of somebody else: it is left alone, and named', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    const theirs = await ground.store.create(certificateRequests, {
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: { name: 'site-1', namespace: 'default' },
      spec: { issuerRef: { name: 'nobody' }, request: encode('no CSR') },
    });
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate());
    const condition = await world.until('Ready is False', async () =>
      findCondition((await ground.get(certificates, 'site'))?.status?.conditions, 'Ready'),
    );
    expect(condition).toMatchObject({ status: 'False', reason: 'NameTaken' });
    expect(condition.message).toContain('CertificateRequest "site-1" has the name that is needed');
    const writes = ground.writes.length;
    await world.sleep(10_000);
    expect(ground.writes.length - writes, 'nothing spins').toBeLessThanOrEqual(1);
    await ground.store.delete(
      certificateRequests,
      { namespace: 'default', name: 'site-1' },
      { uid: theirs.metadata.uid },
    );
    await world.until('Ready', ready(ground));
  });
});
