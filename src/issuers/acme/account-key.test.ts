import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AcmeIssuerConfig } from '../../api/acme/issuer-config.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { encodePrivateKey, generatePrivateKey, keyKindOf, parsePrivateKey } from '../../pki/private-key.ts';
import { anIssuer, anIssuerGround, aSecret } from '../ground.testing.ts';
import { accountKeyHash, ensureAccountKey, findAccountKey } from './account-key.ts';

const acmeIssuer = (more: Partial<AcmeIssuerConfig> = {}, namespace?: string): Issuer =>
  anIssuer(
    {
      acme: {
        server: 'https://acme.example.com/directory',
        privateKeySecretRef: { name: 'account' },
        ...more,
      },
    },
    namespace,
  );

const aKey = async (): Promise<string> => encodePrivateKey(await generatePrivateKey({ algorithm: 'ECDSA' }));

describe('the account key of an ACME issuer', () => {
  it('is made once, ECDSA P-256, and stored before it is used', async () => {
    const { context, api } = await anIssuerGround();
    expect(findAccountKey(context, acmeIssuer())).toBeUndefined();
    const pem = await ensureAccountKey(context, acmeIssuer());
    expect(keyKindOf(parsePrivateKey(pem))).toEqual({ algorithm: 'ECDSA', size: 256 });
    const secret = await api.get(secrets, { namespace: 'shop', name: 'account' });
    expect(secret.metadata.labels).toMatchObject({ 'controller.cert-manager.io/fao': 'true' });
    expect(Buffer.from(secret.data?.['tls.key'] ?? '', 'base64').toString()).toBe(pem);
    expect(await ensureAccountKey(context, acmeIssuer())).toBe(pem);
    expect(findAccountKey(context, acmeIssuer())).toBe(pem);
  });

  it('is the one that is there, under the key that the issuer names', async () => {
    const { context, api } = await anIssuerGround();
    const pem = await aKey();
    await api.create(secrets, aSecret('account', { mine: pem }));
    const issuer = acmeIssuer({ privateKeySecretRef: { name: 'account', key: 'mine' } });
    expect(await ensureAccountKey(context, issuer)).toBe(pem);
  });

  it('is that of another issuer that was faster', async () => {
    const { context } = await anIssuerGround();
    const [one, other] = await Promise.all([
      ensureAccountKey(context, acmeIssuer()),
      ensureAccountKey(context, acmeIssuer()),
    ]);
    expect(one).toBe(other);
  });

  it("is in the cluster resource namespace for a ClusterIssuer, and in the issuer's own for others", async () => {
    const { context, api } = await anIssuerGround();
    const pem = await ensureAccountKey(context, acmeIssuer({}, ''));
    const secret = await api.get(secrets, { namespace: 'system', name: 'account' });
    expect(Buffer.from(secret.data?.['tls.key'] ?? '', 'base64').toString()).toBe(pem);
    expect(findAccountKey(context, acmeIssuer())).toBeUndefined();
  });

  it('is not made where the issuer forbids it', async () => {
    const { context } = await anIssuerGround();
    const made = ensureAccountKey(context, acmeIssuer({ disableAccountKeyGeneration: true }));
    await expect(made).rejects.toMatchObject({
      code: 'ACME_ACCOUNT_KEY_MISSING',
      retry: 'never',
      message: expect.stringContaining('create the Secret with the account key.') as string,
    });
  });

  it('is not put over what the Secret holds already', async () => {
    const { context, api } = await anIssuerGround();
    const theirs = await api.create(secrets, aSecret('account', { other: 'theirs' }));
    await expect(ensureAccountKey(context, acmeIssuer())).rejects.toMatchObject({
      message: 'Secret "shop/account" of spec.acme.privateKeySecretRef has no entry "tls.key"; add it.',
    });
    expect(await api.get(secrets, { namespace: 'shop', name: 'account' })).toEqual(theirs);
  });
});

describe('the hash of an account key', () => {
  it.each([
    ['RSA', 'pkcs1'],
    ['ECDSA', 'pkcs8'],
  ] as const)('is of the DER that cert-manager hashes: %s, %s', async (algorithm, type) => {
    const key = await generatePrivateKey({ algorithm });
    const hash = createHash('sha256')
      .update(key.export({ format: 'der', type }))
      .digest('base64');
    expect(accountKeyHash(encodePrivateKey(key, 'PKCS1'))).toBe(hash);
    expect(accountKeyHash(encodePrivateKey(key, 'PKCS8'))).toBe(hash);
  });
});
