import { describe, expect, it } from 'vitest';
import { problem, type ScriptedReply } from '../acme/scripted-acme.testing.ts';
import { deleteSecretAnnotation, revokeOnDeleteAnnotation } from '../api/annotations.ts';
import { type Certificate, certificates } from '../api/cert-manager/certificate.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { hasCondition } from '../api/condition.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCaIssuer, aCertificate, anAcmeIssuer, ready, textIn } from './objects.testing.ts';
import { aGround, aWorld, type Ground, namespace, type World } from './world.testing.ts';

const key = (name: string) => ({ namespace, name });
const asked = { [revokeOnDeleteAnnotation]: 'true' };

interface Bed {
  readonly ground: Ground;
  readonly world: World;
  readonly acme: TestAcmeServer;
  /** What was asked to be revoked, DER, with the reason. */
  readonly revoked: { certificate: string; reason: number }[];
}

/** A Certificate that is Ready, with an ACME server that answers revocations with `reply`. */
async function anIssued(
  annotations: Record<string, string> | undefined = asked,
  reply: () => ScriptedReply = () => ({ body: '' }),
  issuer = 'acme',
): Promise<Bed> {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  const { scripted } = acme;
  const { origin } = scripted;
  scripted.on('/directory', {
    body: {
      newNonce: `${origin}/nonce`,
      newAccount: `${origin}/account`,
      newOrder: `${origin}/order`,
      revokeCert: `${origin}/revoke`,
    },
    withoutNonce: true,
  });
  const revoked: Bed['revoked'] = [];
  scripted.on('/revoke', ({ payload }) => {
    revoked.push(payload as Bed['revoked'][number]);
    return reply();
  });
  await aCaIssuer(ground);
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  const world = await aWorld(ground);
  await world.until('the issuer is Ready', async () =>
    hasCondition((await ground.get(issuers, 'acme'))?.status?.conditions, 'Ready'),
  );
  await ground.store.create(
    certificates,
    aCertificate({ issuerRef: { name: issuer } }, { name: 'site', annotations }),
  );
  await world.until('Ready', ready(ground));
  await world.settle();
  return { ground, world, acme, revoked };
}

const isGone = (ground: Ground) => async () => (await ground.get(certificates, 'site')) === undefined;

async function deleteSite({ ground, world }: Bed): Promise<void> {
  await ground.store.delete(certificates, key('site'));
  await world.settle();
}

async function eventsWith({ ground }: Bed, reason: string): Promise<string[]> {
  return (await ground.eventsOf('Certificate', 'site')).filter(each => each.startsWith(`${reason}: `));
}

async function editSecret({ ground }: Bed, change: (secret: Secret) => Secret): Promise<void> {
  await ground.store.update(secrets, change(await ground.store.get(secrets, key('site-tls'))));
}

describe('postern.dev/revoke-on-delete', () => {
  it('has the certificate revoked, as one that is not used any more, before the Certificate goes', async () => {
    const bed = await anIssued();
    const leaf = parseCertificate((await textIn(bed.ground, 'site-tls', 'tls.crt')) ?? '');
    await deleteSite(bed);
    await bed.world.until('the Certificate is gone', isGone(bed.ground), { withinMs: 5_000 });
    const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(bed.revoked[0]?.certificate ?? '', 'base64url').toString('base64')}\n-----END CERTIFICATE-----\n`;
    expect(parseCertificate(pem).serialNumber).toBe(leaf.serialNumber);
    expect(bed.revoked).toMatchObject([{ reason: 5 }]);
    await bed.world.settle();
    expect(await eventsWith(bed, 'Revoked')).toEqual([
      `Revoked: The certificate with serial number ${leaf.serialNumber} has been revoked by ${new URL(bed.acme.directoryUrl).host}.`,
    ]);
  });

  it('revokes first where the Secret is to be deleted too', async () => {
    const bed = await anIssued({ ...asked, [deleteSecretAnnotation]: 'true' });
    await deleteSite(bed);
    await bed.world.until('the Certificate is gone', isGone(bed.ground));
    await bed.ground.store.tidy();
    expect(bed.revoked).toHaveLength(1);
    expect(await bed.ground.get(secrets, 'site-tls')).toBeUndefined();
  });

  it.each([
    ['absent', undefined],
    ['"false"', { [revokeOnDeleteAnnotation]: 'false' }],
  ])('%s, nothing is revoked, and the Certificate has no finalizer', async (_, annotations) => {
    const bed = await anIssued(annotations ?? {});
    expect((await bed.ground.get(certificates, 'site'))?.metadata.finalizers).toBeUndefined();
    await deleteSite(bed);
    expect(await isGone(bed.ground)()).toBe(true);
    expect(bed.revoked).toEqual([]);
  });

  it('taken away again, takes the finalizer with it; that of others stays', async () => {
    const bed = await anIssued();
    const finalizers = async () => (await bed.ground.get(certificates, 'site'))?.metadata.finalizers;
    expect(await finalizers()).toEqual(['postern.dev/revoke']);
    const patch = {
      metadata: {
        annotations: { [revokeOnDeleteAnnotation]: null },
        finalizers: ['x.test/y', 'postern.dev/revoke'],
      },
    };
    await bed.ground.store.mergePatch(certificates, key('site'), patch);
    await bed.world.settle();
    expect(await finalizers()).toEqual(['x.test/y']);
  });

  it('does nothing where the issuer is no ACME issuer', async () => {
    const bed = await anIssued(asked, undefined, 'ca');
    await deleteSite(bed);
    expect(await isGone(bed.ground)()).toBe(true);
    expect(bed.revoked).toEqual([]);
  });

  it('is done by another process where the first one ends before it', async () => {
    const bed = await anIssued();
    await bed.world.stop();
    await bed.ground.store.delete(certificates, key('site'));
    expect(await isGone(bed.ground)()).toBe(false);
    const next = await aWorld(bed.ground);
    await next.until('the Certificate is gone', isGone(bed.ground));
    expect(bed.revoked).toHaveLength(1);
  });
});

describe('a revocation that does not succeed', () => {
  it('is tried again, and the deletion waits', async () => {
    let failures = 3;
    const bed = await anIssued(asked, () =>
      failures-- > 0 ? { status: 500, body: problem('serverInternal', 'not now') } : { body: '' },
    );
    await deleteSite(bed);
    expect(await isGone(bed.ground)()).toBe(false);
    await bed.world.until('the Certificate is gone', isGone(bed.ground), { withinMs: 60_000 });
    expect(bed.revoked).toHaveLength(4);
    await bed.world.settle();
    expect(await eventsWith(bed, 'Revoked')).toHaveLength(1);
    expect(await eventsWith(bed, 'RevokeError')).toEqual([
      expect.stringContaining('could not be revoked yet, and the deletion waits for it'),
    ]);
  });

  it('is given up after ten minutes, with an event', async () => {
    const bed = await anIssued(asked, () => ({ status: 500, body: problem('serverInternal', 'never') }));
    await deleteSite(bed);
    await bed.world.sleep(9 * 60_000);
    expect(await isGone(bed.ground)()).toBe(false);
    await bed.world.until('the Certificate is gone', isGone(bed.ground), { withinMs: 90_000 });
    // Ten minutes take no more tries than one each minute, beside those of the first.
    expect(bed.revoked.length).toBeLessThan(25);
    await bed.world.settle();
    expect(await eventsWith(bed, 'RevokeError')).toContainEqual(
      expect.stringContaining('was not revoked, and stays valid until it expires: The ACME server'),
    );
  });

  it('is given up at once where the server will never do it', async () => {
    const bed = await anIssued(asked, () => ({
      status: 400,
      body: problem('badRevocationReason', 'reason 5 is not taken'),
    }));
    await deleteSite(bed);
    await bed.world.until('the Certificate is gone', isGone(bed.ground), { withinMs: 1_000 });
    expect(bed.revoked).toHaveLength(1);
  });

  it('because it is revoked already is a success', async () => {
    const bed = await anIssued(asked, () => ({ status: 400, body: problem('alreadyRevoked', 'it is') }));
    await deleteSite(bed);
    await bed.world.until('the Certificate is gone', isGone(bed.ground), { withinMs: 1_000 });
    expect(await eventsWith(bed, 'RevokeError')).toEqual([]);
  });

  it('is not waited for any longer by who takes the annotation away', async () => {
    const bed = await anIssued(asked, () => ({ status: 500, body: problem('serverInternal', 'never') }));
    await deleteSite(bed);
    await bed.ground.store.mergePatch(certificates, key('site'), {
      metadata: { annotations: { [revokeOnDeleteAnnotation]: null } },
    });
    await bed.world.settle();
    expect(await isGone(bed.ground)()).toBe(true);
  });

  it('for want of the issuer holds nothing up', async () => {
    const bed = await anIssued();
    await bed.ground.store.delete(issuers, key('acme'));
    await deleteSite(bed);
    expect(await isGone(bed.ground)()).toBe(true);
    expect(await eventsWith(bed, 'NotRevoked')).toEqual([
      'NotRevoked: The certificate was not revoked: Issuer "acme", which has signed it, does not exist any more.',
    ]);
  });
});

describe('what is never revoked', () => {
  it.each<[string, (bed: Bed) => Promise<unknown>]>([
    [
      'the certificate of a Secret that another Certificate names too',
      async ({ ground, world }) => {
        const other: Certificate = aCertificate({ issuerRef: { name: 'acme' } }, { name: 'second' });
        await ground.store.create(certificates, other);
        await world.settle();
      },
    ],
    [
      'a certificate without its key: it may be that of somebody else',
      async bed => {
        const { privateKey } = await aCaIssuer(aGround());
        await bed.world.stop();
        await editSecret(bed, secret => ({
          ...secret,
          data: { ...secret.data, 'tls.key': Buffer.from(privateKey).toString('base64') },
        }));
      },
    ],
    [
      'the certificate of a Secret that was issued for another Certificate',
      async bed => {
        await bed.world.stop();
        await editSecret(bed, secret => ({
          ...secret,
          metadata: {
            ...secret.metadata,
            annotations: { ...secret.metadata.annotations, 'cert-manager.io/certificate-name': 'other' },
          },
        }));
      },
    ],
    [
      'a certificate that has expired',
      async bed => {
        await bed.world.stop();
        bed.ground.clock.advance(100 * 24 * 3_600_000);
      },
    ],
  ])('%s', async (_, prepare) => {
    const bed = await anIssued();
    await prepare(bed);
    await bed.world.stop();
    await bed.ground.store.delete(certificates, key('site'));
    const world = await aWorld(bed.ground);
    await world.until('the Certificate is gone', isGone(bed.ground), { withinMs: 1_000 });
    expect(bed.revoked).toEqual([]);
  });
});
