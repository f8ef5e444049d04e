import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeCertificate } from '../../src/acme/certificate.ts';
import { openAcme } from '../../src/acme/connection.ts';
import { certIdOf } from '../../src/acme/renewal-info.ts';
import { type Certificate, certificates } from '../../src/api/cert-manager/certificate.ts';
import { clusterIssuers } from '../../src/api/cert-manager/issuer.ts';
import { withCondition } from '../../src/api/condition.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { type CertificateInfo, parseCertificate } from '../../src/pki/certificate.ts';
import { type AcmeFaultBed, startAcmeFaultBed } from '../harness/acme-fault-bed.ts';
import { edits, refuses } from '../harness/acme-faults.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Pebble suggests the two days around two thirds of the lifetime, and to go on at once for what is revoked. */
describe('renewal information (RFC 9773)', () => {
  let bed: AcmeFaultBed;

  beforeAll(async () => {
    bed = await startAcmeFaultBed();
  });
  afterAll(async () => {
    await bed?.stop();
  });

  const chainIn = async (secretName: string): Promise<string> => {
    const secret = await bed.postern.api.get(secrets, { namespace: 'default', name: secretName });
    return Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64').toString();
  };
  const leafIn = async (secretName: string): Promise<CertificateInfo> =>
    parseCertificate(await chainIn(secretName));

  const questions = (leaf: CertificateInfo): number =>
    bed.proxy.records.filter(({ path, method }) => method === 'GET' && path.endsWith(`/${certIdOf(leaf)}`))
      .length;

  const renewed = (name: string, revision: number): Promise<Certificate> =>
    bed.eventually(
      `${name} is at revision ${revision}`,
      async () => {
        const found = await bed.view.readyCertificate(name);
        return found?.status?.revision === revision && found;
      },
      15_000,
    );

  /** Passes new orders on, and notes what the server says that each replaces. */
  function notedReplaced(): (string | undefined)[] {
    const replaced: (string | undefined)[] = [];
    const note = edits(order => {
      replaced.push(order['replaces'] as string | undefined);
      return order;
    });
    bed.proxy.script({ fault: note, on: ({ action }) => action === 'new-order' });
    return replaced;
  }

  async function renewByHand(name: string): Promise<void> {
    const live = await bed.postern.api.get(certificates, { namespace: 'default', name });
    const issuing = {
      type: 'Issuing',
      status: 'True',
      reason: 'ManuallyTriggered',
      message: 'by hand',
    } as const;
    const conditions = withCondition(live.status?.conditions, issuing);
    await bed.postern.api.updateStatus(certificates, { ...live, status: { ...live.status, conditions } });
  }

  it('is asked for, and renewalTime is in the window', async () => {
    const name = await bed.addSite();
    await bed.ready(name);
    const leaf = await leafIn(name);
    const third = (leaf.notAfterMs - leaf.notBeforeMs) / 3;
    await bed.eventually('renewalTime is in the window', async () => {
      const found = await bed.view.find(certificates, name);
      const atMs = Date.parse(found?.status?.renewalTime ?? '');
      return Math.abs(atMs - (leaf.notAfterMs - third)) <= dayMs + 2_000;
    });
    expect(questions(leaf)).toBe(1);
  });

  it('the server is told what a renewal replaces', async () => {
    const name = await bed.addSite();
    await bed.ready(name);
    const first = await leafIn(name);
    const replaced = notedReplaced();
    await renewByHand(name);
    await renewed(name, 2);
    expect(replaced).toEqual([certIdOf(first)]);
  });

  it('a certificate that the server has replaced already is ordered all the same', async () => {
    const name = await bed.addSite();
    await bed.ready(name);
    bed.proxy.script({
      fault: refuses(409, 'alreadyReplaced', 'certificate has a replacement order'),
      on: ({ action }) => action === 'new-order',
      times: 1,
    });
    await renewByHand(name);
    const certificate = await renewed(name, 2);
    expect(bed.proxy.count('new-order')).toBe(2);
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
  });

  it('a certificate that is revoked is renewed when its server is asked again', async () => {
    const name = await bed.addSite();
    await bed.ready(name);
    const first = await leafIn(name);
    await bed.eventually('the server was asked', async () => questions(first) > 0);
    await revoke(await chainIn(name));
    const replaced = notedReplaced();
    bed.clock.pass(6 * hourMs + 60_000);
    await renewed(name, 2);
    expect(replaced).toContain(certIdOf(first));
    expect((await leafIn(name)).serialNumber).not.toBe(first.serialNumber);
  });

  async function revoke(chainPem: string): Promise<void> {
    const secret = await bed.postern.api.get(secrets, { namespace: 'kube-system', name: 'pebble-account' });
    const { status } = await bed.postern.api.get(clusterIssuers, { namespace: '', name: 'pebble' });
    const connection = openAcme({
      directoryUrl: bed.proxy.directoryUrl,
      accountKeyPem: Buffer.from(secret.data?.['tls.key'] ?? '', 'base64').toString(),
      accountUrl: status?.acme?.uri,
      caBundlePem: bed.proxy.rootCaPem,
    });
    await revokeCertificate(connection, chainPem, { reason: 'superseded' });
    connection.close();
  }
});
