import { describe, expect, it } from 'vitest';
import { secrets } from '../../api/kubernetes/secret.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { anIssuer, anIssuerGround, aSecret, aSignRequest } from '../ground.testing.ts';
import { selfSignedIssuer } from './index.ts';

const issuer = anIssuer({ selfSigned: { crlDistributionPoints: ['http://crl.example.com/'] } });
const signal = new AbortController().signal;
const annotations = { 'cert-manager.io/private-key-secret-name': 'key' };

describe('a self-signed issuer', () => {
  it('is ready as it is', async () => {
    const { context } = await anIssuerGround();
    expect(await selfSignedIssuer(context).setUp(issuer, signal)).toMatchObject({
      ready: true,
      reason: 'IsReady',
    });
  });

  it('signs with the private key that the request leads to', async () => {
    const { context, api } = await anIssuerGround();
    const request = await aSignRequest({ commonName: 'root' }, { annotations, spec: { isCA: true } });
    await api.create(secrets, aSecret('key', { 'tls.key': request.privateKey }));
    const result = await selfSignedIssuer(context).sign(issuer, request, signal);
    if (result.kind !== 'signed') throw new Error(result.message);
    expect(parseCertificate(result.chain)).toMatchObject({
      commonName: 'root',
      isCA: true,
      selfSigned: true,
    });
    expect(result.ca).toBe(result.chain);
  });

  it('waits for a Secret that is not there yet', async () => {
    const { context } = await anIssuerGround();
    const request = await aSignRequest(undefined, { annotations });
    expect(await selfSignedIssuer(context).sign(issuer, request, signal)).toEqual({
      kind: 'pending',
      message: 'Waiting for Secret "key" with the private key.',
      afterMs: 5_000,
    });
  });

  it.each([
    [
      'the request leads to none',
      {},
      undefined,
      'The annotation cert-manager.io/private-key-secret-name is missing',
    ],
    [
      'the Secret holds none',
      annotations,
      () => 'x',
      'Secret "key" cannot be used: there is no private key in PEM form.',
    ],
    [
      'it is not the one of the CSR',
      annotations,
      async () => (await aSignRequest()).privateKey,
      'The private key in Secret "key" is not the one of the CSR.',
    ],
  ] as [string, Record<string, string>, (() => string | Promise<string>) | undefined, string][])(
    'fails where %s',
    async (_where, requestAnnotations, key, said) => {
      const { context, api } = await anIssuerGround();
      if (key !== undefined) await api.create(secrets, aSecret('key', { 'tls.key': await key() }));
      const request = await aSignRequest(undefined, { annotations: requestAnnotations });
      const result = await selfSignedIssuer(context).sign(issuer, request, signal);
      expect(result).toMatchObject({ kind: 'failed', message: expect.stringContaining(said) as string });
    },
  );

  it('does not look into other namespaces', async () => {
    const { context, api } = await anIssuerGround();
    const request = await aSignRequest(undefined, { annotations });
    await api.create(secrets, aSecret('key', { 'tls.key': request.privateKey }, 'elsewhere'));
    expect((await selfSignedIssuer(context).sign(issuer, request, signal)).kind).toBe('pending');
  });
});
