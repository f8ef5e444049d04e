import { X509Certificate } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import acme from 'acme-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ifAvailable } from '../servers/install.ts';
import { provisionDebianPebble, provisionPebble } from '../servers/pebble.ts';
import { startPebble } from './pebble.ts';

const available = [
  ['newest', await ifAvailable(provisionPebble())],
  ["Debian's", await ifAvailable(provisionDebianPebble())],
] as const;

describe.each(available)('the %s Pebble', (_, servers) => {
  test.skipIf(servers === undefined)('issues for a name whose HTTP01 challenge is answered', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'postern-pebble-'));
    const keyAuthorizations = new Map<string, string>();
    const responder = createServer((request, response) => {
      response.end(keyAuthorizations.get(request.url?.split('/').at(-1) ?? ''));
    });
    await new Promise<void>(resolve => responder.listen(0, '127.0.0.1', resolve));
    const pebble = await startPebble({
      dir,
      httpPort: (responder.address() as AddressInfo).port,
      tlsPort: 1,
      dnsDefault: '127.0.0.2',
      ...(servers === undefined ? {} : { servers }),
    });
    onTestFinished(async () => {
      await pebble.stop();
      responder.close();
      await rm(dir, { recursive: true });
    });
    await pebble.setHost('shop.example.com', '127.0.0.1');

    const resolver = new Resolver();
    resolver.setServers([pebble.dnsAddress]);
    expect(await resolver.resolve4('shop.example.com')).toEqual(['127.0.0.1']);
    expect(await resolver.resolve4('other.example.com')).toEqual(['127.0.0.2']);
    await pebble.failHost('broken.example.com');
    await expect(resolver.resolve4('broken.example.com')).rejects.toThrow('ESERVFAIL');

    acme.axios.defaults.httpsAgent = new Agent({ ca: pebble.rootCaPem });
    const client = new acme.Client({
      directoryUrl: pebble.directoryUrl,
      accountKey: await acme.crypto.createPrivateKey(),
    });
    const [, csr] = await acme.crypto.createCsr({ altNames: ['shop.example.com'] });
    const chain = await client.auto({
      csr,
      termsOfServiceAgreed: true,
      skipChallengeVerification: true,
      challengePriority: ['http-01'],
      async challengeCreateFn(_authz, challenge, keyAuthorization) {
        keyAuthorizations.set(challenge.token, keyAuthorization);
      },
      async challengeRemoveFn() {},
    });
    const [leafPem = '', issuerPem = ''] = acme.crypto.splitPemChain(chain);
    const leaf = new X509Certificate(leafPem);
    const issuer = new X509Certificate(issuerPem);
    const root = new X509Certificate((await pebble.issuerRoots())[0] ?? '');
    expect(leaf.subjectAltName).toContain('DNS:shop.example.com');
    expect(leaf.checkIssued(issuer)).toBe(true);
    expect(issuer.verify(root.publicKey)).toBe(true);
  });
});
