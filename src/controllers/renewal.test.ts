import { describe, expect, it } from 'vitest';
import { type CertificateSpec, certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { findCondition, withCondition } from '../api/condition.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { encodePrivateKey, generatePrivateKey } from '../pki/private-key.ts';
import { aCaIssuer, aCertificate, aSecret, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World } from './world.testing.ts';

const minuteMs = 60_000;

async function anIssued(spec: Partial<CertificateSpec>): Promise<{ ground: Ground; world: World }> {
  const ground = aGround();
  await aCaIssuer(ground);
  const world = await aWorld(ground);
  await ground.store.create(certificates, aCertificate(spec));
  await world.until('Ready', ready(ground));
  return { ground, world };
}

async function revision(ground: Ground): Promise<number | undefined> {
  return (await ground.get(certificates, 'site'))?.status?.revision;
}

const chainIn = (ground: Ground): Promise<string | undefined> => textIn(ground, 'site-tls', 'tls.crt');
const keyIn = (ground: Ground): Promise<string | undefined> => textIn(ground, 'site-tls', 'tls.key');

async function renewByHand(ground: Ground): Promise<void> {
  const certificate = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
  const issuing = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'by hand',
  } as const;
  await ground.store.updateStatus(certificates, {
    ...certificate,
    status: { ...certificate.status, conditions: withCondition(certificate.status?.conditions, issuing) },
  });
}

describe('a renewal', () => {
  it('comes when the time in the status has come, with a new key, and Ready stays True', async () => {
    const { ground, world } = await anIssued({ duration: '2h', renewBefore: '30m' });
    const [chain, key] = [await chainIn(ground), await keyIn(ground)];
    const { status } = (await ground.get(certificates, 'site')) ?? {};
    const beforeMs = Date.parse(status?.notAfter ?? '') - Date.parse(status?.renewalTime ?? '');
    // Brought forward by up to 3 %, so that not all are renewed at once.
    expect(beforeMs).toBeGreaterThanOrEqual(30 * minuteMs);
    expect(beforeMs).toBeLessThanOrEqual(1.03 * 30 * minuteMs + 1_000);
    const readySince = findCondition(status?.conditions, 'Ready')?.lastTransitionTime;

    await world.sleep(Date.parse(status?.renewalTime ?? '') - ground.clock.now() - 2_000);
    expect(await revision(ground)).toBe(1);
    await world.sleep(4_000);
    const renewed = await world.until('renewed', ready(ground, 'site', 2));
    expect(await chainIn(ground)).not.toBe(chain);
    expect(await keyIn(ground)).not.toBe(key);
    expect(findCondition(renewed.status?.conditions, 'Ready')?.lastTransitionTime).toBe(readySince);
    expect(await ground.eventsOf('Certificate', 'site')).toContainEqual(
      expect.stringContaining('Issuing: Issuing a certificate: The certificate was due for renewal at'),
    );
  });

  it('without renewBefore comes after two thirds of the lifetime', async () => {
    const { ground } = await anIssued({ duration: '3h' });
    const { notBefore, notAfter, renewalTime } = (await ground.get(certificates, 'site'))?.status ?? {};
    const [from, to, at] = [notBefore, notAfter, renewalTime].map(time => Date.parse(time ?? ''));
    const thirdMs = ((to ?? 0) - (from ?? 0)) / 3;
    expect(at).toBeLessThanOrEqual((to ?? 0) - thirdMs);
    expect(at).toBeGreaterThanOrEqual((to ?? 0) - 1.03 * thirdMs - 1_000);
  });

  it('goes on after a restart', async () => {
    const { ground, world } = await anIssued({ duration: '2h', renewBefore: '30m' });
    await world.stop();
    const next = await aWorld(ground);
    await next.sleep(95 * minuteMs);
    await next.until('renewed', ready(ground, 'site', 2));
  });

  it('that is due as soon as it is done is put off, and does not come without end', async () => {
    const ground = aGround();
    // The authority ends just when the certificate should: what it signs from then on is due at once.
    await aCaIssuer(ground, 100 * minuteMs);
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate({ duration: '2h', renewBefore: '100m' }));
    await world.until('Ready', ready(ground));
    await world.sleep(20 * minuteMs);
    expect(await revision(ground)).toBe(1);
  });

  it('by hand (cmctl renew) comes at once, and its cause is passed on', async () => {
    const { ground, world } = await anIssued({});
    await renewByHand(ground);
    const renewed = await world.until('renewed', ready(ground, 'site', 2));
    expect(findCondition(renewed.status?.conditions, 'Issuing')).toBeUndefined();
    expect(await ground.eventsOf('Certificate', 'site')).toContain(
      'Issuing: Issuing a certificate: by hand.',
    );
    await world.sleep(minuteMs);
    expect(await revision(ground)).toBe(2);
  });

  it.each([
    ['the names', { dnsNames: ['site.example.com', 'more.example.com'] }, 'spec.dnsNames'],
    ['the duration', { duration: '24h' }, 'spec.duration'],
    ['the usages', { usages: ['server auth'] }, 'spec.usages'],
    ['isCA', { isCA: true }, 'spec.isCA, spec.usages'],
    ['the common name', { commonName: 'site.example.com' }, 'spec.commonName'],
  ] satisfies [string, Partial<CertificateSpec>, string][])(
    'comes when %s change',
    async (_what, change, fields) => {
      const { ground, world } = await anIssued({});
      const certificate = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
      await ground.store.update(certificates, { ...certificate, spec: { ...certificate.spec, ...change } });
      await world.until('issued again', ready(ground, 'site', 2));
      expect(await ground.eventsOf('Certificate', 'site')).toContain(
        `Issuing: Issuing a certificate: These fields of the spec have changed since the certificate was issued: ${fields}.`,
      );
    },
  );

  it('does not come for what the certificate is not made of', async () => {
    const { ground, world } = await anIssued({});
    const certificate = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
    const spec = {
      ...certificate.spec,
      duration: '2160h',
      renewBefore: '48h',
      usages: ['key encipherment', 'digital signature'] as CertificateSpec['usages'],
      secretTemplate: { labels: { app: 'web' } },
    };
    await ground.store.update(certificates, { ...certificate, spec });
    await world.until('the template is taken up', async () => {
      return (await ground.get(secrets, 'site-tls'))?.metadata.labels?.['app'] === 'web';
    });
    await world.settle();
    expect(await revision(ground)).toBe(1);
  });
});

describe('spec.privateKey.rotationPolicy Never', () => {
  it('keeps the key', async () => {
    const { ground, world } = await anIssued({ privateKey: { algorithm: 'ECDSA', rotationPolicy: 'Never' } });
    const [chain, key] = [await chainIn(ground), await keyIn(ground)];
    await renewByHand(ground);
    await world.until('renewed', ready(ground, 'site', 2));
    expect(await chainIn(ground)).not.toBe(chain);
    expect(await keyIn(ground)).toBe(key);
  });

  it('says so where the key there is does not fit the spec, and issues nothing', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    const key = encodePrivateKey(await generatePrivateKey({ algorithm: 'ECDSA', size: 384 }));
    await ground.store.create(secrets, aSecret('site-tls', { 'tls.key': key }));
    const world = await aWorld(ground);
    const privateKey = { algorithm: 'ECDSA', rotationPolicy: 'Never' } as const;
    await ground.store.create(certificates, aCertificate({ privateKey }));
    await world.settle();
    const certificate = await ground.get(certificates, 'site');
    const message =
      "The private key cannot be kept: the private key's size is 384, the spec asks for 256; set spec.privateKey.rotationPolicy to Always, or spec.privateKey to what the key is.";
    expect(findCondition(certificate?.status?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'CannotRegenerateKey',
      message,
    });
    expect(await ground.eventsOf('Certificate', 'site')).toEqual([`CannotRegenerateKey: ${message}`]);
    expect(await keyIn(ground)).toBe(key);
    expect(await ground.all(certificateRequests)).toEqual([]);
  });
});

it.each([
  [undefined, ['site-4']],
  [1, ['site-4']],
  [3, ['site-2', 'site-3', 'site-4']],
])('spec.revisionHistoryLimit %s keeps the requests %j', async (revisionHistoryLimit, kept) => {
  const { ground, world } = await anIssued({ revisionHistoryLimit });
  for (const next of [2, 3, 4]) {
    await renewByHand(ground);
    await world.until('renewed', ready(ground, 'site', next));
  }
  await world.settle();
  const names = (await ground.all(certificateRequests)).map(({ metadata }) => metadata.name);
  expect(new Set(names)).toEqual(new Set(kept));
});
