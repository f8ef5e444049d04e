import { describe, expect, it } from 'vitest';
import { problem } from '../acme/scripted-acme.testing.ts';
import { fallbackIssuersAnnotation } from '../api/annotations.ts';
import { type Certificate, certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { findCondition, hasCondition } from '../api/condition.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCaIssuer, aCertificate, anAcmeIssuer, anIssuer, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, namespace, type World } from './world.testing.ts';

const hourMs = 3_600_000;
const key = { namespace, name: 'site' };

interface Bed {
  readonly ground: Ground;
  readonly world: World;
  readonly acme: TestAcmeServer;
  /** Whether the ACME server refuses every order. */
  refuses: boolean;
}

/** Issuer `acme`, which refuses what it is asked for; Issuer `acme-2` of the same server; Issuers `ca` and `self`. */
async function aBed(): Promise<Bed> {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  const bed = { ground, acme, refuses: true };
  acme.scripted.on('/order', request =>
    bed.refuses
      ? { status: 400, body: problem('rejectedIdentifier', 'not this one') }
      : acme.newOrder(request),
  );
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  await ground.store.create(issuers, anAcmeIssuer('acme-2', acme.directoryUrl));
  await ground.store.create(issuers, anIssuer('self', { selfSigned: {} }));
  await aCaIssuer(ground);
  const world = await aWorld(ground);
  await world.until('the issuers are Ready', async () =>
    (await ground.all(issuers)).every(({ status }) => hasCondition(status?.conditions, 'Ready')),
  );
  ground.writes.splice(0);
  return Object.assign(bed, { world });
}

function withFallbacks(text: string, issuer = 'acme'): Certificate {
  const annotations = { [fallbackIssuersAnnotation]: text };
  return aCertificate({ issuerRef: { name: issuer } }, { name: 'site', annotations });
}

async function signer({ ground }: Bed): Promise<Record<string, string> | undefined> {
  const secret = await ground.get(secrets, 'site-tls');
  return Object.fromEntries(
    Object.entries(secret?.metadata.annotations ?? {}).filter(([name]) => name.includes('/issuer-')),
  );
}
const signedBy = (name: string, kind = 'Issuer') => ({
  'cert-manager.io/issuer-name': name,
  'cert-manager.io/issuer-kind': kind,
  'cert-manager.io/issuer-group': 'cert-manager.io',
});
const serialNumber = async ({ ground }: Bed): Promise<string> =>
  parseCertificate((await textIn(ground, 'site-tls', 'tls.crt')) ?? '').serialNumber;
const statusOf = async ({ ground }: Bed) => (await ground.get(certificates, 'site'))?.status;
const requestsMade = ({ ground }: Bed): number =>
  ground.writes.filter(({ what }) => what === 'create CertificateRequest').length;

describe('postern.dev/fallback-issuers', () => {
  it('has the next issuer tried at once when the first has failed for good, and the Secret names who signed', async () => {
    const bed = await aBed();
    const { ground, world } = bed;
    await ground.store.create(certificates, withFallbacks('ca'));
    await world.until('Ready', ready(ground), { withinMs: 10_000 });
    await world.settle();
    expect(await signer(bed)).toEqual(signedBy('ca'));
    expect(requestsMade(bed)).toBe(2);
    const events = await ground.eventsOf('Certificate', 'site');
    expect(events).toContainEqual('FallbackIssuer: The next issuer is tried: Issuer "ca" (cert-manager.io).');
    expect(events).toContainEqual(
      'Issuing: The certificate has been issued by Issuer "ca" (cert-manager.io).',
    );
    expect(events.filter(event => event.startsWith('Failed: '))).toEqual([
      expect.stringContaining('not this one') as string,
    ]);
    // Nothing is left of the failure.
    expect(await statusOf(bed)).toMatchObject({ revision: 1 });
    expect(await statusOf(bed)).not.toHaveProperty('failedIssuanceAttempts');
  });

  it('leaves what the fallback has signed as it is, over a restart too', async () => {
    const bed = await aBed();
    await bed.ground.store.create(certificates, withFallbacks('ca'));
    await bed.world.until('Ready', ready(bed.ground));
    await bed.world.settle();
    const before = await serialNumber(bed);
    await bed.world.stop();
    bed.ground.writes.splice(0);
    const world = await aWorld(bed.ground);
    await world.sleep(2 * hourMs);
    expect(await serialNumber(bed)).toBe(before);
    expect(bed.ground.writes).toEqual([]);
  });

  it('begins a renewal with the first issuer again', async () => {
    const bed = await aBed();
    await bed.ground.store.create(certificates, withFallbacks('ca'));
    await bed.world.until('Ready', ready(bed.ground));
    bed.refuses = false;
    const dueMs = Date.parse((await statusOf(bed))?.renewalTime ?? '');
    await bed.world.sleep(dueMs - bed.ground.clock.now());
    await bed.world.until('the renewal', ready(bed.ground, 'site', 2));
    await bed.world.settle();
    expect(await signer(bed)).toEqual(signedBy('acme'));
  });

  it('tries them in order, each once where it is named twice, and waits an hour after the last', async () => {
    const bed = await aBed();
    const { ground, world } = bed;
    await ground.store.create(certificates, withFallbacks('acme-2,acme,acme-2'));
    await world.until('both have failed', async () => (await statusOf(bed))?.failedIssuanceAttempts === 2);
    await world.settle();
    const asked = (await ground.all(certificateRequests)).map(({ spec }) => spec.issuerRef.name);
    expect(asked).toEqual(['acme-2']);
    await world.sleep(hourMs - 60_000);
    expect(requestsMade(bed)).toBe(2);
    // The second round begins with the first issuer, and after that it is two hours.
    await world.until('the second round', async () => (await statusOf(bed))?.failedIssuanceAttempts === 4, {
      withinMs: 5 * 60_000,
    });
    expect(requestsMade(bed)).toBe(4);
    await world.sleep(2 * hourMs - 60_000);
    expect(requestsMade(bed)).toBe(4);
    bed.refuses = false;
    await world.until('Ready', ready(ground), { withinMs: 5 * 60_000 });
    expect(await signer(bed)).toEqual(signedBy('acme'));
  });

  it('is carried on where a process ends between two issuers', async () => {
    for (let end = 0; end < 30; end++) {
      const bed = await aBed();
      await bed.world.stop();
      await bed.ground.store.create(certificates, withFallbacks('ca'));
      bed.ground.writes.splice(0);
      const first = await aWorld(bed.ground, {
        fateOf: before => (before === end ? 'death' : 'done'),
      });
      const found = await first.until('Ready, or death', async () => first.isDead() || ready(bed.ground)());
      await first.stop();
      const next = await aWorld(bed.ground);
      await next.until('Ready', ready(bed.ground), { withinMs: 60_000 });
      await next.settle();
      expect(await signer(bed)).toEqual(signedBy('ca'));
      expect(requestsMade(bed)).toBe(2);
      await next.stop();
      if (found !== true) break;
    }
  });

  it('that comes when an issuer has failed already has the next one tried at once', async () => {
    const bed = await aBed();
    await bed.ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' } }));
    await bed.world.until('it has failed', async () => (await statusOf(bed))?.failedIssuanceAttempts === 1);
    const metadata = { annotations: { [fallbackIssuersAnnotation]: 'Issuer/ca' } };
    await bed.ground.store.mergePatch(certificates, key, { metadata });
    await bed.world.until('Ready', ready(bed.ground), { withinMs: 10_000 });
    expect(await signer(bed)).toEqual(signedBy('ca'));
  });

  it('taken away, has what a fallback signed issued again by the issuer of the spec', async () => {
    const bed = await aBed();
    await bed.ground.store.create(certificates, withFallbacks('ca'));
    await bed.world.until('Ready', ready(bed.ground));
    bed.refuses = false;
    const metadata = { annotations: { [fallbackIssuersAnnotation]: null } };
    await bed.ground.store.mergePatch(certificates, key, { metadata });
    await bed.world.until('issued again', ready(bed.ground, 'site', 2));
    expect(await signer(bed)).toEqual(signedBy('acme'));
  });

  it('is not used while the issuer only waits: a fallback is for what can never succeed', async () => {
    const bed = await aBed();
    await bed.ground.store.create(certificates, withFallbacks('ca', 'missing'));
    await bed.world.sleep(60_000);
    const [request, ...more] = await bed.ground.all(certificateRequests);
    expect(request?.spec.issuerRef.name).toBe('missing');
    expect(more).toEqual([]);
  });

  it('with a value that cannot be read is said, with the fix, and nothing is issued', async () => {
    const bed = await aBed();
    await bed.ground.store.create(certificates, withFallbacks('Vault/x'));
    await bed.world.settle();
    expect(findCondition((await statusOf(bed))?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'InvalidSpec',
      message:
        'metadata.annotations["postern.dev/fallback-issuers"] "Vault/x" has "Vault/x": the kind must be Issuer or ClusterIssuer: for an issuer of another kind, add its API group, as in "Kind.group/name".',
    });
    expect(requestsMade(bed)).toBe(0);
  });
});
