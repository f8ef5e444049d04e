import { describe, expect, it } from 'vitest';
import { orders } from '../api/acme/order.ts';
import type { Issuer } from '../api/cert-manager/issuer.ts';
import { createAcmeAccounts } from './acme/accounts.ts';
import { anIssuer, anIssuerGround } from './ground.testing.ts';
import { createIssuerTypes } from './index.ts';

const acme = { server: 'https://acme.example.com/directory', privateKeySecretRef: { name: 'account' } };

describe('the type of an issuer', () => {
  it.each([
    ['vault', { vault: {} }, 'UnsupportedType', 'Issuers of type vault are not supported by Postern'],
    ['venafi', { venafi: {} }, 'UnsupportedType', 'Issuers of type venafi are not supported by Postern'],
    ['nothing', {}, 'InvalidConfig', 'it has none.'],
    ['two', { selfSigned: {}, acme }, 'InvalidConfig', 'it has acme, selfSigned.'],
  ] as [string, Issuer['spec'], string, string][])(
    'is none for %s, with the reason',
    async (_what, spec, reason, said) => {
      const { context } = await anIssuerGround(orders);
      const types = createIssuerTypes(context, createAcmeAccounts(context, { userAgent: 'test' }));
      expect(types(anIssuer(spec))).toMatchObject({
        reason,
        message: expect.stringContaining(said) as string,
      });
    },
  );

  it.each([{ acme }, { ca: { secretName: 'pair' } }, { selfSigned: {} }])('is found for %j', async spec => {
    const { context } = await anIssuerGround(orders);
    const types = createIssuerTypes(context, createAcmeAccounts(context, { userAgent: 'test' }));
    expect(types(anIssuer(spec))).toHaveProperty('sign');
  });
});
