import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { acmeClusterIssuer, ingress } from '../harness/manifests.ts';
import { prepareStandalone, type Standalone } from '../harness/standalone-process.ts';

const cessationOfOperation = 5;

describe('what is deleted', () => {
  let standalone: Standalone;

  beforeAll(async () => {
    standalone = await prepareStandalone();
    const { directoryUrl, rootCaPem } = standalone.pebble;
    await standalone.write('issuer.json', acmeClusterIssuer('pebble', directoryUrl, rootCaPem));
    await standalone.start();
  });

  afterAll(() => standalone?.stop());

  /** Has a site with these annotations issued; gives its serial number. */
  async function issued(name: string, more: Record<string, string>): Promise<string> {
    const annotations = { 'cert-manager.io/cluster-issuer': 'pebble', ...more };
    const host = `${name}.example.com`;
    await standalone.write(`${name}.json`, ingress({ name, host, annotations }));
    await standalone.eventually(`${name} is Ready`, () =>
      standalone.look(view => view.readyCertificate(`${name}-tls`)),
    );
    return (await standalone.look(view => view.serial(`${name}-tls`))) ?? '';
  }

  async function removed(name: string): Promise<void> {
    await standalone.remove(`${name}.json`);
    await standalone.eventually(`Certificate ${name}-tls is gone`, async () =>
      standalone.look(async view => (await view.find(certificates, `${name}-tls`)) === undefined),
    );
  }

  it('with its Ingress is revoked, and takes its Secret along, where the annotations ask for that', async () => {
    const serial = await issued('leaving', {
      'postern.dev/delete-secret': 'true',
      'postern.dev/revoke-on-delete': 'true',
    });
    expect(await standalone.pebble.certificateStatus(serial)).toMatchObject({ Status: 'Valid' });
    await removed('leaving');
    expect(await standalone.pebble.certificateStatus(serial)).toMatchObject({
      Status: 'Revoked',
      Reason: cessationOfOperation,
    });
    await standalone.eventually('the Secret is gone', async () =>
      standalone.look(async view => (await view.find(secrets, 'leaving-tls')) === undefined),
    );
  });

  it('without them stays valid, in its Secret', async () => {
    const serial = await issued('staying', {});
    await removed('staying');
    expect(await standalone.pebble.certificateStatus(serial)).toMatchObject({ Status: 'Valid' });
    expect(await standalone.look(view => view.serial('staying-tls'))).toBe(serial);
  });
});
