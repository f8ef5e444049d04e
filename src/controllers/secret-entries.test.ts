import { createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type Certificate, type CertificateSpec, certificates } from '../api/cert-manager/certificate.ts';
import { findCondition, withCondition } from '../api/condition.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import type { OwnerReference } from '../api/meta.ts';
import { rfc3339 } from '../core/clock.ts';
import { parseCertificate, parseCertificates } from '../pki/certificate.ts';
import { readJks } from '../pki/keystores/jks.testing.ts';
import { parsePrivateKey } from '../pki/private-key.ts';
import { aCaIssuer, aCertificate, aSecret, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World, type WorldOptions } from './world.testing.ts';

const site = { namespace: 'default', name: 'site-tls' };

interface Bed {
  readonly ground: Ground;
  readonly world: World;
}

/** A process with a Certificate of this spec, that has done all it can. */
async function settled(
  spec: Partial<CertificateSpec>,
  prepare: (ground: Ground) => Promise<unknown> = async () => {},
  options: WorldOptions = {},
): Promise<Bed> {
  const ground = aGround();
  await aCaIssuer(ground);
  await prepare(ground);
  const world = await aWorld(ground, options);
  await ground.store.create(certificates, aCertificate(spec));
  await world.until('the Secret', () => ground.get(secrets, site.name));
  await world.settle();
  return { ground, world };
}

async function respecify({ ground, world }: Bed, change: Partial<CertificateSpec>): Promise<void> {
  const certificate = (await ground.get(certificates, 'site')) as Certificate;
  await ground.store.update(certificates, { ...certificate, spec: { ...certificate.spec, ...change } });
  await world.settle();
}

async function edit({ ground, world }: Bed, change: (secret: Secret) => Secret): Promise<void> {
  await ground.store.update(secrets, change(await ground.store.get(secrets, site)));
  await world.settle();
}

async function setPassword({ ground, world }: Bed, password: string): Promise<void> {
  const stored = await ground.store.get(secrets, { ...site, name: 'keystore-password' });
  const data = { password: Buffer.from(password).toString('base64') };
  await ground.store.update(secrets, { ...stored, data });
  await world.settle();
}

async function renew({ ground, world }: Bed): Promise<void> {
  const certificate = (await ground.get(certificates, 'site')) as Certificate;
  const { status } = certificate;
  const lastTransitionTime = rfc3339(ground.clock.now());
  const asked = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'by hand' } as const;
  const conditions = withCondition(status?.conditions, { ...asked, lastTransitionTime });
  await ground.store.updateStatus(certificates, { ...certificate, status: { ...status, conditions } });
  await world.until('renewed', async () => {
    const found = (await ground.get(certificates, 'site'))?.status?.revision ?? 0;
    return found > (status?.revision ?? 0);
  });
  await world.settle();
}

async function entries({ ground }: Bed): Promise<Readonly<Record<string, string>>> {
  return (await ground.get(secrets, site.name))?.data ?? {};
}

const names = async (bed: Bed): Promise<string[]> => Object.keys(await entries(bed)).toSorted();
const bytes = async (bed: Bed, name: string): Promise<Buffer> =>
  Buffer.from((await entries(bed))[name] ?? '', 'base64');
const serialNumber = async ({ ground }: Bed): Promise<string> =>
  parseCertificate((await textIn(ground, site.name, 'tls.crt')) ?? '').serialNumber;
const readyOf = async ({ ground }: Bed) =>
  findCondition((await ground.get(certificates, 'site'))?.status?.conditions, 'Ready');
const eventsWith = async ({ ground }: Bed, reason: string): Promise<string[]> =>
  (await ground.eventsOf('Certificate', 'site')).filter(event => event.startsWith(`${reason}:`));
const version = async ({ ground }: Bed): Promise<string | undefined> =>
  (await ground.get(secrets, site.name))?.metadata.resourceVersion;

const pair = ['ca.crt', 'tls.crt', 'tls.key'];

describe('additional output formats', () => {
  const both: Partial<CertificateSpec> = {
    additionalOutputFormats: [{ type: 'CombinedPEM' }, { type: 'DER' }],
  };

  it('are the key with the chain, and the key in DER; also after a renewal', async () => {
    const bed = await settled(both);
    for (const round of [1, 2]) {
      const key = (await textIn(bed.ground, site.name, 'tls.key')) ?? '';
      const chain = (await textIn(bed.ground, site.name, 'tls.crt')) ?? '';
      expect((await bytes(bed, 'tls-combined.pem')).toString()).toBe(`${key}\n${chain}`);
      const der = parsePrivateKey(key).export({ format: 'der', type: 'sec1' });
      expect(await bytes(bed, 'key.der')).toEqual(der);
      if (round === 1) await renew(bed);
    }
  });

  it('come and go with the spec, without a new certificate', async () => {
    const bed = await settled({});
    const before = await serialNumber(bed);
    expect(await names(bed)).toEqual(pair);
    await respecify(bed, both);
    expect(await names(bed)).toEqual(['ca.crt', 'key.der', 'tls-combined.pem', 'tls.crt', 'tls.key']);
    await respecify(bed, { additionalOutputFormats: [{ type: 'DER' }] });
    expect(await names(bed)).toEqual(['ca.crt', 'key.der', 'tls.crt', 'tls.key']);
    await respecify(bed, { additionalOutputFormats: undefined });
    expect(await names(bed)).toEqual(pair);
    expect(await serialNumber(bed)).toBe(before);
    expect(await eventsWith(bed, 'AdditionalOutputFormatsMismatch')).not.toEqual([]);
  });

  it('that were changed by hand are mended; what others put under their names stays', async () => {
    const bed = await settled({ additionalOutputFormats: [{ type: 'DER' }] });
    const wanted = await bytes(bed, 'key.der');
    const theirs = Buffer.from('of another program').toString('base64');
    await edit(bed, secret => ({
      ...secret,
      data: { ...secret.data, 'key.der': theirs, 'tls-combined.pem': theirs, other: theirs },
    }));
    expect(await bytes(bed, 'key.der')).toEqual(wanted);
    expect(await entries(bed)).toMatchObject({ 'tls-combined.pem': theirs, other: theirs });
  });
});

describe('keystores', () => {
  const passwordSecretRef = { name: 'keystore-password', key: 'password' };
  const keystores = {
    jks: { create: true, passwordSecretRef },
    pkcs12: { create: true, passwordSecretRef, profile: 'Modern2023' },
  } as const;
  const stores = ['keystore.jks', 'keystore.p12', 'truststore.jks', 'truststore.p12'];
  const withPassword = (ground: Ground): Promise<Secret> =>
    ground.store.create(secrets, aSecret('keystore-password', { password: 'changeit' }));

  const opens = async (bed: Bed, password: string): Promise<void> => {
    const pfx = await bytes(bed, 'keystore.p12');
    createServer({ pfx, passphrase: password }).close();
    const key = parsePrivateKey((await textIn(bed.ground, site.name, 'tls.key')) ?? '');
    const leaf = parseCertificate((await textIn(bed.ground, site.name, 'tls.crt')) ?? '');
    const [ca] = parseCertificates((await textIn(bed.ground, site.name, 'ca.crt')) ?? '');
    const [keyEntry, ...trusted] = readJks(await bytes(bed, 'keystore.jks'), password);
    expect(keyEntry).toMatchObject({
      alias: 'certificate',
      key: key.export({ format: 'der', type: 'pkcs8' }),
      certificates: [leaf.der],
    });
    expect(trusted).toMatchObject([{ alias: 'ca', certificates: [ca?.der] }]);
    expect(readJks(await bytes(bed, 'truststore.jks'), password)).toMatchObject(trusted);
  };

  it('are in the Secret, open with the password, and are made once', async () => {
    const bed = await settled({ keystores }, withPassword);
    expect(await names(bed)).toEqual([...pair, ...stores].toSorted());
    await opens(bed, 'changeit');
    const before = await version(bed);
    await bed.world.stop();
    const next = await aWorld(bed.ground);
    await next.settle();
    expect(await version(bed)).toBe(before);
    expect(await readyOf(bed)).toMatchObject({ status: 'True', reason: 'Ready' });
  });

  it('are made of the new pair by a renewal', async () => {
    const bed = await settled({ keystores }, withPassword);
    await renew(bed);
    await opens(bed, 'changeit');
  });

  it('are made again when their password changes, without a new certificate', async () => {
    const bed = await settled({ keystores }, withPassword);
    const before = await serialNumber(bed);
    await setPassword(bed, 'another one');
    await opens(bed, 'another one');
    expect(await serialNumber(bed)).toBe(before);
    expect(await eventsWith(bed, 'SecretKeystoreMismatch')).toEqual([
      'SecretKeystoreMismatch: Secret "site-tls" had not the keystores that spec.keystores asks for. It has been rewritten.',
    ]);
  });

  it.each([
    [
      'a changed alias',
      { ...keystores, jks: { ...keystores.jks, alias: 'app' } },
      async (bed: Bed) => readJks(await bytes(bed, 'keystore.jks'), 'changeit')[0]?.alias,
      'app',
    ],
    [
      'a changed profile',
      { ...keystores, pkcs12: { ...keystores.pkcs12, profile: 'LegacyDES' } },
      // pbeWithSHAAnd3-KeyTripleDES-CBC
      async (bed: Bed) =>
        (await bytes(bed, 'keystore.p12')).includes(Buffer.from('2a864886f70d010c0103', 'hex')),
      true,
    ],
    [
      'a password in the spec',
      { jks: { create: true, password: 'in the spec' } },
      async (bed: Bed) => readJks(await bytes(bed, 'keystore.jks'), 'in the spec').length,
      2,
    ],
  ] as const)('follow %s', async (_what, changed, look, wanted) => {
    const bed = await settled({ keystores }, withPassword);
    await respecify(bed, { keystores: changed });
    expect(await look(bed)).toBe(wanted);
  });

  it('go when the spec asks for them no more', async () => {
    const bed = await settled({ keystores }, withPassword);
    await respecify(bed, { keystores: { ...keystores, jks: { ...keystores.jks, create: false } } });
    expect(await names(bed)).toEqual([...pair, 'keystore.p12', 'truststore.p12'].toSorted());
    await respecify(bed, { keystores: undefined });
    expect(await names(bed)).toEqual(pair);
    const { annotations = {} } = (await bed.ground.get(secrets, site.name))?.metadata ?? {};
    expect(Object.keys(annotations).filter(name => name.startsWith('postern.dev/'))).toEqual([]);
  });

  it('that are damaged or taken away are made again', async () => {
    const bed = await settled({ keystores }, withPassword);
    await edit(bed, secret => {
      const { 'keystore.jks': _gone, ...data } = secret.data ?? {};
      return { ...secret, data: { ...data, 'truststore.p12': 'cnViYmlzaA==' } };
    });
    await opens(bed, 'changeit');
    expect((await bytes(bed, 'truststore.p12')).length).toBeGreaterThan(100);
  });

  it.each([
    ['does not exist', async () => {}, 'does not exist; create it with password.'],
    [
      'has no such entry',
      (ground: Ground) => ground.store.create(secrets, aSecret('keystore-password', { other: 'x' })),
      'has no password, or an empty one; set it.',
    ],
  ])(
    'whose password Secret %s: the pair is written, it is told once, and the rest follows',
    async (_what, prepare, said) => {
      const bed = await settled({ keystores: { jks: keystores.jks } }, prepare);
      expect(await names(bed)).toEqual(pair);
      const message = `The keystores of spec.keystores.jks wait for their password: Secret "keystore-password" of spec.keystores.jks.passwordSecretRef ${said}`;
      expect(await readyOf(bed)).toMatchObject({
        status: 'False',
        reason: 'KeystorePasswordMissing',
        message,
      });
      expect(await eventsWith(bed, 'KeystorePasswordMissing')).toEqual([
        `KeystorePasswordMissing: ${message}`,
      ]);
      const revision = (await bed.ground.get(certificates, 'site'))?.status?.revision;
      if ((await bed.ground.get(secrets, 'keystore-password')) === undefined) await withPassword(bed.ground);
      else await setPassword(bed, 'changeit');
      await bed.world.settle();
      expect(readJks(await bytes(bed, 'keystore.jks'), 'changeit')).toHaveLength(2);
      expect(await readyOf(bed)).toMatchObject({ status: 'True', reason: 'Ready' });
      expect((await bed.ground.get(certificates, 'site'))?.status?.revision).toBe(revision);
    },
  );

  it('stay while their password is away, also through a renewal', async () => {
    const bed = await settled({ keystores: { jks: keystores.jks } }, withPassword);
    const before = await bytes(bed, 'keystore.jks');
    await bed.ground.store.delete(secrets, { ...site, name: 'keystore-password' });
    await renew(bed);
    expect(await bytes(bed, 'keystore.jks')).toEqual(before);
    expect(await readyOf(bed)).toMatchObject({ status: 'False', reason: 'KeystorePasswordMissing' });
    await withPassword(bed.ground);
    await bed.world.settle();
    const [entry] = readJks(await bytes(bed, 'keystore.jks'), 'changeit');
    expect(entry?.certificates[0]).toEqual(
      parseCertificate((await textIn(bed.ground, site.name, 'tls.crt')) ?? '').der,
    );
  });

  it('of cert-manager, which have no digest, stay as they are', async () => {
    const bed = await settled({ keystores }, withPassword);
    await bed.world.stop();
    const secret = await bed.ground.store.get(secrets, site);
    const kept = Object.entries(secret.metadata.annotations ?? {}).filter(
      ([name]) => !name.startsWith('postern.dev/'),
    );
    const annotations = Object.fromEntries(kept);
    await bed.ground.store.update(secrets, { ...secret, metadata: { ...secret.metadata, annotations } });
    const before = await version(bed);
    const world = await aWorld(bed.ground);
    await world.settle();
    expect(await version(bed)).toBe(before);
    // With the next pair they are ours.
    await renew({ ...bed, world });
    await opens(bed, 'changeit');
  });

  it('tell nothing of the password outside of the data', async () => {
    const bed = await settled({ keystores: { jks: { create: true, password: 'tell-nobody' } } });
    const { data: _data, ...rest } = (await bed.ground.get(secrets, site.name)) as Secret;
    expect(JSON.stringify(rest)).toContain('postern.dev/jks-digest');
    expect(JSON.stringify(rest)).not.toContain('tell-nobody');
  });
});

describe('secretTemplate', () => {
  const secretTemplate = {
    annotations: { 'example.com/owner': 'gates', 'example.com/tier': '1' },
    labels: { team: 'doors' },
  };

  it('is on the Secret, comes back when taken off, and goes by itself; what is of others stays', async () => {
    const bed = await settled({ secretTemplate });
    const before = await serialNumber(bed);
    const metadata = async () => (await bed.ground.get(secrets, site.name))?.metadata;
    expect(await metadata()).toMatchObject(secretTemplate);
    await edit(bed, secret => ({
      ...secret,
      metadata: {
        ...secret.metadata,
        annotations: { ...secret.metadata.annotations, 'example.com/owner': 'me', theirs: 'stays' },
        labels: { theirs: 'stays' },
      },
    }));
    expect(await metadata()).toMatchObject({
      annotations: { ...secretTemplate.annotations, theirs: 'stays' },
      labels: { ...secretTemplate.labels, theirs: 'stays', 'controller.cert-manager.io/fao': 'true' },
    });
    expect(await eventsWith(bed, 'SecretTemplateMismatch')).toHaveLength(1);

    await respecify(bed, { secretTemplate: { annotations: { 'example.com/tier': '1' } } });
    expect((await metadata())?.annotations).toMatchObject({ 'example.com/tier': '1', theirs: 'stays' });
    expect((await metadata())?.annotations).not.toHaveProperty(['example.com/owner']);
    expect((await metadata())?.labels).toEqual({ theirs: 'stays', 'controller.cert-manager.io/fao': 'true' });

    await respecify(bed, { secretTemplate: undefined });
    const { annotations = {} } = (await metadata()) ?? {};
    expect(Object.keys(annotations).filter(name => /example\.com|postern\.dev/.test(name))).toEqual([]);
    expect(await serialNumber(bed)).toBe(before);
  });

  it('of cert-manager, which leaves no record of it, is not worth a write', async () => {
    const bed = await settled({ secretTemplate });
    await edit(bed, secret => {
      const { 'postern.dev/secret-template-keys': _record, ...annotations } =
        secret.metadata.annotations ?? {};
      return { ...secret, metadata: { ...secret.metadata, annotations } };
    });
    const { annotations } = (await bed.ground.store.get(secrets, site)).metadata;
    expect(annotations).not.toHaveProperty(['postern.dev/secret-template-keys']);
  });

  it.each(['rubbish', '7', 'null', '{"annotations":7,"labels":[7]}'])(
    'a record %j of it is replaced',
    async record => {
      const bed = await settled({ secretTemplate });
      const before = (await bed.ground.store.get(secrets, site)).metadata.annotations;
      const annotations = { ...before, 'postern.dev/secret-template-keys': record };
      await edit(bed, secret => ({ ...secret, metadata: { ...secret.metadata, annotations } }));
      expect((await bed.ground.store.get(secrets, site)).metadata.annotations).toEqual(before);
    },
  );
});

describe('the owner reference of the Secret', () => {
  const owners = async ({ ground }: Bed): Promise<OwnerReference[]> =>
    (await ground.get(secrets, site.name))?.metadata.ownerReferences ?? [];

  it('comes with --enable-certificate-owner-ref and goes without it; that of others stays', async () => {
    const bed = await settled({}, undefined, { controllers: { ownerRefOnSecrets: true } });
    const uid = (await bed.ground.get(certificates, 'site'))?.metadata.uid ?? '';
    const ours = {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      name: 'site',
      uid,
      controller: true,
      blockOwnerDeletion: true,
    };
    expect(await owners(bed)).toEqual([ours]);
    const theirs = { apiVersion: 'v1', kind: 'Secret', name: 'ca-pair', uid: '' };
    theirs.uid = (await bed.ground.get(secrets, 'ca-pair'))?.metadata.uid ?? '';
    const { controller: _controller, ...weaker } = ours;
    await edit(bed, secret => ({
      ...secret,
      metadata: { ...secret.metadata, ownerReferences: [theirs, weaker] },
    }));
    expect(await owners(bed)).toEqual([theirs, ours]);
    expect(await eventsWith(bed, 'SecretOwnerRefMismatch')).toHaveLength(1);
    await bed.world.stop();
    const world = await aWorld(bed.ground);
    await world.settle();
    expect(await owners(bed)).toEqual([theirs]);
  });

  it('that somebody made by hand stays', async () => {
    const bed = await settled({});
    const uid = (await bed.ground.get(certificates, 'site'))?.metadata.uid ?? '';
    const byHand = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', name: 'site', uid };
    await edit(bed, secret => ({ ...secret, metadata: { ...secret.metadata, ownerReferences: [byHand] } }));
    expect(await owners(bed)).toEqual([byHand]);
  });
});

it('what the Secret says of its certificate is mended without issuing, and the event says so', async () => {
  const bed = await settled({ commonName: 'site.example.com' });
  const before = await serialNumber(bed);
  await edit(bed, secret => ({
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...secret.metadata.annotations, 'cert-manager.io/alt-names': 'evil.example.com' },
    },
  }));
  const secret = await bed.ground.get(secrets, site.name);
  expect(secret?.metadata.annotations?.['cert-manager.io/alt-names']).toBe('site.example.com');
  expect(await serialNumber(bed)).toBe(before);
  expect(await eventsWith(bed, 'SecretManagedMetadataMismatch')).toEqual([
    'SecretManagedMetadataMismatch: The labels and annotations of Secret "site-tls" did not say what is in it. It has been rewritten.',
  ]);
});

it('an immutable Secret is not rewritten, and the Certificate says so', async () => {
  const bed = await settled({});
  await edit(bed, secret => ({ ...secret, immutable: true }));
  expect(await readyOf(bed)).toMatchObject({ status: 'True' });
  await respecify(bed, { additionalOutputFormats: [{ type: 'DER' }] });
  expect(await readyOf(bed)).toMatchObject({ status: 'False', reason: 'UnusableSecret' });
  expect(await names(bed)).toEqual(pair);
});

it('octets that are no text, and an empty ca.crt, stay in the Secret as they are', async () => {
  const bed = await settled({});
  await bed.world.stop();
  const data = await entries(bed);
  const comment = Buffer.from([0xff, 0xfe, 0x0a]);
  const chain = Buffer.concat([comment, Buffer.from(data['tls.crt'] ?? '', 'base64')]).toString('base64');
  await bed.ground.store.update(secrets, {
    ...(await bed.ground.store.get(secrets, site)),
    data: { ...data, 'tls.crt': chain, 'ca.crt': '' },
  });
  const before = await version(bed);
  const world = await aWorld(bed.ground);
  await world.until('Ready', ready(bed.ground));
  await world.settle();
  expect(await version(bed)).toBe(before);
});
