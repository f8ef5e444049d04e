import { describe, expect, it } from 'vitest';
import { type Certificate, certificates } from '../api/cert-manager/certificate.ts';
import { type CertificateRequest, certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { type Condition, findCondition, withCondition } from '../api/condition.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { rfc3339 } from '../core/clock.ts';
import { aCaIssuer, aCertificate, ready } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World } from './world.testing.ts';

const hourMs = 3_600_000;

/** An issuer of another group: this process makes and approves the requests, and the test signs or refuses them. */
const theirs = { name: 'theirs', kind: 'TheirIssuer', group: 'theirs.example.com' };

async function aWaitingRequest(ground: Ground, world: World, uid?: string): Promise<CertificateRequest> {
  return world.until('a new request, approved', async () => {
    const request = await ground.get(certificateRequests, 'site-1');
    const isApproved = findCondition(request?.status?.conditions, 'Approved')?.status === 'True';
    return request?.metadata.uid !== uid && isApproved ? request : undefined;
  });
}

async function refuse(
  { store, clock }: Ground,
  condition: Partial<Condition> = {},
  failureTime: string | undefined = rfc3339(clock.now()),
): Promise<void> {
  const refused: Condition = {
    type: 'Ready',
    status: 'False',
    reason: 'Failed',
    message: 'no more names today',
    lastTransitionTime: rfc3339(clock.now()),
    ...condition,
  };
  const live = await store.get(certificateRequests, { namespace: 'default', name: 'site-1' });
  const conditions = withCondition(live.status?.conditions, refused);
  await store.updateStatus(certificateRequests, {
    ...live,
    status: { ...live.status, conditions, failureTime },
  });
}

async function recorded(ground: Ground, world: World, attempts: number): Promise<Certificate> {
  return world.until(`failure ${attempts} is recorded`, async () => {
    const certificate = await ground.get(certificates, 'site');
    return certificate?.status?.failedIssuanceAttempts === attempts ? certificate : undefined;
  });
}

async function aRefusedCertificate(): Promise<{ ground: Ground; world: World; request: CertificateRequest }> {
  const ground = aGround();
  const world = await aWorld(ground);
  await ground.store.create(certificates, aCertificate({ issuerRef: theirs }));
  const request = await aWaitingRequest(ground, world);
  await refuse(ground);
  await recorded(ground, world, 1);
  return { ground, world, request };
}

const update = async (ground: Ground, change: (certificate: Certificate) => Certificate): Promise<void> => {
  const certificate = await ground.store.get(certificates, { namespace: 'default', name: 'site' });
  await ground.store.update(certificates, change(certificate));
};

describe('an issuance that has failed', () => {
  it('is told in the status and by one event, and its request stays for everybody to see', async () => {
    const { ground, world, request } = await aRefusedCertificate();
    await world.sleep(30 * 60_000);
    const certificate = await ground.get(certificates, 'site');
    expect(findCondition(certificate?.status?.conditions, 'Issuing')).toMatchObject({
      status: 'False',
      reason: 'Failed',
      message: 'The certificate request has failed: no more names today.',
    });
    expect(findCondition(certificate?.status?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'DoesNotExist',
    });
    expect(certificate?.status).not.toHaveProperty('nextPrivateKeySecretName');
    expect(await ground.eventsOf('Certificate', 'site')).toContain(
      'Failed: The certificate request has failed: no more names today.',
    );
    expect((await ground.get(certificateRequests, 'site-1'))?.metadata.uid).toBe(request.metadata.uid);
  });

  it.each([1, 2, 3, 6, 7])(
    'is tried again with a new key after 1 h x 2^(n-1), 32 h at most: failure %i',
    async failures => {
      const ground = aGround();
      const world = await aWorld(ground);
      await ground.store.create(certificates, aCertificate({ issuerRef: theirs }));
      let request = await aWaitingRequest(ground, world);
      for (let failure = 1; failure < failures; failure++) {
        await refuse(ground);
        await recorded(ground, world, failure);
        await world.sleep(33 * hourMs);
        request = await aWaitingRequest(ground, world, request.metadata.uid);
      }
      await refuse(ground);
      await recorded(ground, world, failures);
      const waitMs = Math.min(2 ** (failures - 1), 32) * hourMs;
      await world.sleep(waitMs - 5_000);
      expect((await ground.get(certificateRequests, 'site-1'))?.metadata.uid).toBe(request.metadata.uid);
      await world.sleep(10_000);
      const next = await aWaitingRequest(ground, world, request.metadata.uid);
      expect(next.spec.request).not.toBe(request.spec.request);
    },
  );

  it('is waited for by the process that comes after a restart too', async () => {
    const { ground, world, request } = await aRefusedCertificate();
    await world.stop();
    const next = await aWorld(ground);
    await next.sleep(55 * 60_000);
    expect((await ground.get(certificateRequests, 'site-1'))?.metadata.uid).toBe(request.metadata.uid);
    await next.sleep(6 * 60_000);
    await aWaitingRequest(ground, next, request.metadata.uid);
  });

  it('is tried again at once when what is asked for changes, and not for any other change of the spec', async () => {
    const { ground, world, request } = await aRefusedCertificate();
    await update(ground, certificate => ({
      ...certificate,
      spec: { ...certificate.spec, revisionHistoryLimit: 3 },
    }));
    await world.sleep(60_000);
    expect((await ground.get(certificateRequests, 'site-1'))?.metadata.uid).toBe(request.metadata.uid);
    await update(ground, certificate => ({
      ...certificate,
      spec: { ...certificate.spec, dnsNames: ['other.example.com'] },
    }));
    await aWaitingRequest(ground, world, request.metadata.uid);
  });

  it('is tried again at once by cmctl renew, and counts on when that fails too', async () => {
    const { ground, world, request } = await aRefusedCertificate();
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
    const next = await aWaitingRequest(ground, world, request.metadata.uid);
    await refuse(ground);
    await recorded(ground, world, 2);
    await world.sleep(hourMs);
    expect((await ground.get(certificateRequests, 'site-1'))?.metadata.uid).toBe(next.metadata.uid);
  });

  it('still waits when somebody deletes the request', async () => {
    const { ground, world } = await aRefusedCertificate();
    await ground.store.delete(certificateRequests, { namespace: 'default', name: 'site-1' });
    await world.sleep(55 * 60_000);
    expect(await ground.get(certificateRequests, 'site-1')).toBeUndefined();
    await world.sleep(6 * 60_000);
    await aWaitingRequest(ground, world);
  });

  it('is forgotten by a success', async () => {
    const ground = aGround();
    const world = await aWorld(ground);
    await aCaIssuer(ground);
    await ground.store.create(certificates, aCertificate({ issuerRef: theirs }));
    await aWaitingRequest(ground, world);
    await refuse(ground);
    await recorded(ground, world, 1);
    await update(ground, certificate => ({
      ...certificate,
      spec: { ...certificate.spec, issuerRef: { name: 'ca' } },
    }));
    const { status } = await world.until('Ready', ready(ground));
    expect(status).not.toHaveProperty('failedIssuanceAttempts');
    expect(status).not.toHaveProperty('lastFailureTime');
    expect(findCondition(status?.conditions, 'Issuing')).toBeUndefined();
  });

  it('leaves no private key behind but the one that is in use', async () => {
    const { ground, world, request } = await aRefusedCertificate();
    await world.sleep(2 * hourMs);
    await aWaitingRequest(ground, world, request.metadata.uid);
    const keys = (await ground.all(secrets)).filter(
      ({ metadata }) => metadata.labels?.['cert-manager.io/next-private-key'] === 'true',
    );
    expect(keys).toHaveLength(1);
  });
});

describe('an issuer whose word is odd', () => {
  it.each([
    ['says that it failed long ago', '2020-01-01T00:00:00Z', {}],
    ['says that it fails in the future', '2030-01-01T00:00:00Z', {}],
    ['says no time at all', undefined, { lastTransitionTime: undefined }],
    ['says no time that can be read', 'yesterday', { lastTransitionTime: 'yesterday' }],
  ])('%s is not asked again before its time', async (_what, failureTime, condition) => {
    const ground = aGround();
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate({ issuerRef: theirs }));
    let request = await aWaitingRequest(ground, world);
    for (const attempts of [1, 2]) {
      const live = await ground.store.get(certificateRequests, { namespace: 'default', name: 'site-1' });
      const failed = {
        type: 'Ready',
        status: 'False',
        reason: 'Failed',
        message: 'no',
        ...condition,
      } as const;
      const status = {
        ...live.status,
        conditions: withCondition(live.status?.conditions, failed),
        failureTime,
      };
      await ground.store.updateStatus(certificateRequests, { ...live, status });
      await recorded(ground, world, attempts);
      await world.sleep(attempts * hourMs - 60_000);
      expect((await ground.get(certificateRequests, 'site-1'))?.metadata.uid).toBe(request.metadata.uid);
      await world.sleep(2 * 60_000);
      request = await aWaitingRequest(ground, world, request.metadata.uid);
    }
    const made = ground.writes.filter(({ what }) => what === 'create CertificateRequest');
    expect(made).toHaveLength(3);
  });

  it('denies: the reason says so', async () => {
    const ground = aGround();
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate({ issuerRef: theirs }));
    await aWaitingRequest(ground, world);
    await refuse(ground, { type: 'Denied', status: 'True', reason: 'Policy', message: 'not this one' });
    const certificate = await recorded(ground, world, 1);
    expect(findCondition(certificate.status?.conditions, 'Issuing')).toMatchObject({
      reason: 'Denied',
      message: 'The certificate request has failed: not this one.',
    });
  });

  it('says it is Ready and gives no certificate: that is a failure', async () => {
    const ground = aGround();
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate({ issuerRef: theirs }));
    const request = await aWaitingRequest(ground, world);
    await refuse(ground, { status: 'True', reason: 'Issued', message: 'here you are' }, undefined);
    const certificate = await recorded(ground, world, 1);
    expect(findCondition(certificate.status?.conditions, 'Issuing')?.message).toContain(
      'says it is Ready, but its certificate is missing',
    );
    await world.sleep(50 * 60_000);
    expect((await ground.get(certificateRequests, 'site-1'))?.metadata.uid).toBe(request.metadata.uid);
    await world.sleep(11 * 60_000);
    await aWaitingRequest(ground, world, request.metadata.uid);
  });

  it('fails what is not asked for any more: that is no failure of what is', async () => {
    const ground = aGround();
    const world = await aWorld(ground);
    await ground.store.create(certificates, aCertificate({ issuerRef: theirs }));
    const request = await aWaitingRequest(ground, world);
    await world.stop();
    await update(ground, certificate => ({
      ...certificate,
      spec: { ...certificate.spec, dnsNames: ['other.example.com'] },
    }));
    await refuse(ground);
    const next = await aWorld(ground);
    await aWaitingRequest(ground, next, request.metadata.uid);
    expect((await ground.get(certificates, 'site'))?.status?.failedIssuanceAttempts).toBeUndefined();
  });
});
