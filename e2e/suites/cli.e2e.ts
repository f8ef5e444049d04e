import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { certificateRequests } from '../../src/api/cert-manager/certificate-request.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import { type Environment, type KubeJson, startEnvironment } from '../harness/environment.ts';
import { newestLine } from '../harness/lines.ts';
import { caIssuer, ingress } from '../harness/manifests.ts';
import { askPostern, type PosternAnswer, stopPostern } from '../harness/postern.ts';

const lines = await newestLine();

const certificate = (name: string, issuer = 'ca'): string => `
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: ${name}, namespace: default}
spec:
  secretName: ${name}-tls
  dnsNames: [${name}.example.com]
  privateKey: {algorithm: ECDSA}
  issuerRef: {name: ${issuer}}
`;

describe.each(lines)('commands on Kubernetes %s', line => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await startEnvironment({ line });
    await environment.cluster.apply(caIssuer);
  });

  afterAll(async () => {
    await environment?.stop();
  });

  const postern = (...args: string[]): Promise<PosternAnswer> =>
    askPostern([...args, '--kubeconfig', environment.cluster.adminKubeconfig]);

  const find = async (resource: Resource<KubeObject>, name: string): Promise<KubeJson | undefined> =>
    (await environment.objects(resource, 'default')).find(({ metadata }) => metadata.name === name);

  const conditionOf = async (resource: Resource<KubeObject>, name: string, type: string) =>
    (await find(resource, name))?.status?.conditions?.find(one => one.type === type);

  const becomesReady = (name: string) =>
    environment.eventually(
      `${name} is Ready`,
      async () => (await conditionOf(certificates, name, 'Ready'))?.status === 'True',
    );

  /** The number of issuances so far, and what the Secret holds now. */
  async function issued(name: string): Promise<{ revision: unknown; serial: string }> {
    // The Secret is written before the revision is counted, so it is read after it.
    const revision = (await find(certificates, name))?.status?.['revision'];
    const pem = (await find(secrets, `${name}-tls`))?.data?.['tls.crt'] ?? '';
    return { revision, serial: new X509Certificate(Buffer.from(pem, 'base64')).serialNumber };
  }

  /** Asks for the renewal as docs/cli.md says it is done by kubectl alone. */
  async function renewByKubectl(name: string): Promise<void> {
    const asked = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'by hand' };
    const patch = JSON.stringify({ status: { conditions: [asked] } });
    await environment.cluster.kubectl([
      ...['patch', 'certificate', name, '-n', 'default'],
      ...['--subresource=status', '--type=merge', '-p', patch],
    ]);
  }

  it.each([
    [
      'postern renew',
      async () => {
        expect(await postern('renew', 'renewed', '-n', 'default')).toMatchObject({
          status: 0,
          stdout: expect.stringMatching(/^Certificate default\/renewed is to be renewed\.\n/),
          stderr: '',
        });
      },
    ],
    ['kubectl alone', () => renewByKubectl('renewed')],
  ])('a certificate whose renewal is asked for by %s is issued once more', async (_how, ask) => {
    await environment.cluster.apply(certificate('renewed'));
    await becomesReady('renewed');
    const before = await issued('renewed');
    await ask();
    const after = await environment.eventually('issued once more', async () => {
      const now = await issued('renewed');
      return now.revision !== before.revision && now;
    });
    expect(after.revision).toBe(Number(before.revision) + 1);
    expect(after.serial).not.toBe(before.serial);
    await environment.eventually(
      'nothing is under way',
      async () => (await conditionOf(certificates, 'renewed', 'Issuing'))?.status !== 'True',
    );
    await becomesReady('renewed');
    expect(await issued('renewed')).toEqual(after);
  });

  it('a renewal is refused while one is under way', async () => {
    await environment.cluster.apply(certificate('waiting', 'absent'));
    await environment.eventually(
      'being issued',
      async () => (await conditionOf(certificates, 'waiting', 'Issuing'))?.status === 'True',
    );
    const refused = await postern('renew', 'waiting');
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(
      /Certificate default\/waiting is being issued already since .*; nothing was changed/,
    );
    expect((await conditionOf(certificates, 'waiting', 'Issuing'))?.reason).toBe('DoesNotExist');
    const status = await postern('status', 'certificate', 'waiting');
    expect(status.status).toBe(1);
    expect(status.stdout).toContain('There is no Issuer "absent" in namespace "default"');
  });

  it('a Secret is looked into, and its private key stays where it is', async () => {
    await environment.cluster.apply(
      ingress({
        name: 'front',
        host: 'front.example.com',
        annotations: { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/private-key-algorithm': 'ECDSA' },
      }),
    );
    await becomesReady('front-tls');
    const shown = await postern('inspect', 'secret', 'front-tls', '-n', 'default');
    expect([shown.status, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toMatch(/Private key +\S+ \d+, fits the certificate/);
    expect(shown.stdout).toMatch(/DNS names +front\.example\.com/);
    expect(shown.stdout).toMatch(/Trust +verified by ca\.crt/);
    expect(shown.stdout).toMatch(/front\.example\.com +Ingress front: covered/);
    expect(shown.stdout).toContain('No problems were found.');
    const json = await postern('inspect', 'secret', 'front-tls', '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      chain: [{ issuer: 'CN=e2e CA', validity: 'valid' }],
      certificate: { name: 'front-tls', ready: true, issuer: 'Issuer/ca', revision: 1 },
      problems: [],
    });
    const key = (await find(secrets, 'front-tls'))?.data?.['tls.key'] ?? '';
    const line2 = Buffer.from(key, 'base64').toString().split('\n')[1] ?? '';
    expect(line2.length).toBeGreaterThan(20);
    for (const output of [shown.stdout, json.stdout]) {
      expect(output).not.toContain(line2);
      expect(output).not.toContain(key.slice(60, 100));
    }
  });

  it('where Postern approves nothing by itself, a request is signed or failed as somebody says', async () => {
    await stopPostern(environment.postern);
    await environment.startPostern(['--no-approve-requests']);
    for (const name of ['wanted', 'unwanted']) await environment.cluster.apply(certificate(name));
    for (const name of ['wanted-1', 'unwanted-1']) {
      await environment.eventually(`${name} is made`, () => find(certificateRequests, name));
    }
    const waiting = await postern('status', 'certificate', 'wanted', '-n', 'default');
    expect(waiting.stdout).toContain('CertificateRequest "wanted-1" is not approved yet');
    expect(waiting.stdout).toContain('postern approve wanted-1 -n default');

    expect(await postern('approve', 'wanted-1', '--reason', 'Policy', '--message', 'ticket 4711')).toEqual({
      status: 0,
      stdout: 'CertificateRequest default/wanted-1 is approved.\n',
      stderr: '',
    });
    await becomesReady('wanted');
    expect(await conditionOf(certificateRequests, 'wanted-1', 'Approved')).toMatchObject({
      status: 'True',
      reason: 'Policy',
      message: 'ticket 4711',
    });

    expect((await postern('deny', 'unwanted-1', '--message', 'not this one')).status).toBe(0);
    const failed = await environment.eventually('denied', async () => {
      const ready = await conditionOf(certificateRequests, 'unwanted-1', 'Ready');
      return ready?.reason === 'Denied' && ready;
    });
    expect(failed.message).toContain('not this one');
    expect(await find(secrets, 'unwanted-tls')).toBeUndefined();

    const late = await postern('approve', 'unwanted-1');
    expect([late.status, late.stdout]).toEqual([1, '']);
    expect(late.stderr).toContain('is denied (PosternCommandLine: not this one), and that is final');
    expect((await postern('deny', 'wanted-1')).status).toBe(1);
  });
});
