import { describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { type CertificateInfo, parseCertificate } from '../../pki/certificate.ts';
import type { CsrSpec } from '../../pki/csr.ts';
import {
  anIssuer,
  anIssuerGround,
  aSecret,
  aSigningPair,
  aSignRequest,
  type IssuerGround,
} from '../ground.testing.ts';
import { caIssuer } from './index.ts';

const issuer = anIssuer({ ca: { secretName: 'pair' } });
const signal = new AbortController().signal;
const hourMs = 3_600_000;

const setUp = ({ context }: IssuerGround) => caIssuer(context).setUp(issuer, signal);

async function sign(
  { context }: IssuerGround,
  content?: CsrSpec,
  spec?: Partial<CertificateRequest['spec']>,
): Promise<{ leaf: CertificateInfo; ca: string | undefined }> {
  const result = await caIssuer(context).sign(
    issuer,
    await aSignRequest(content, { ...(spec && { spec }) }),
    signal,
  );
  if (result.kind !== 'signed') throw new Error(result.message);
  return { leaf: parseCertificate(result.chain), ca: result.ca };
}

describe('a CA issuer', () => {
  it('is ready with a signing pair, and looks again when that ends', async () => {
    const ground = await anIssuerGround();
    await ground.api.create(
      secrets,
      aSecret('pair', await aSigningPair(ground.clock.now(), { lifetimeMs: hourMs })),
    );
    expect(await setUp(ground)).toEqual({
      ready: true,
      reason: 'KeyPairVerified',
      message: 'The signing key pair in Secret "pair" is usable.',
      againAfterMs: hourMs,
    });
    ground.clock.advance(hourMs);
    expect(await setUp(ground)).toEqual({
      ready: false,
      reason: 'ErrInvalidKeyPair',
      message:
        'The certificate authority in Secret "shop/pair" of spec.ca.secretName has expired; replace it.',
    });
  });

  it.each([
    [
      'is not there',
      async () => undefined,
      'ErrGetKeyPair',
      'Secret "shop/pair" of spec.ca.secretName does not exist',
    ],
    ['is empty', async () => ({}), 'ErrInvalidKeyPair', 'must have tls.crt and tls.key.'],
    [
      'is rubbish',
      async () => ({ 'tls.crt': 'x', 'tls.key': 'y' }),
      'ErrInvalidKeyPair',
      'holds no usable key pair: there is no private key in PEM form.',
    ],
    [
      'holds two halves of two pairs',
      async (nowMs: number) => ({
        ...(await aSigningPair(nowMs)),
        'tls.key': (await aSigningPair(nowMs))['tls.key'],
      }),
      'ErrInvalidKeyPair',
      'the private key does not belong to the certificate.',
    ],
    [
      'is of no authority',
      (nowMs: number) => aSigningPair(nowMs, { isCA: false }),
      'ErrInvalidKeyPair',
      'is no certificate authority: it was not issued with isCA; put one there that was.',
    ],
  ] as [string, (nowMs: number) => Promise<Record<string, string> | undefined>, string, string][])(
    'is not ready where its Secret %s',
    async (_what, content, reason, said) => {
      const ground = await anIssuerGround();
      const values = await content(ground.clock.now());
      if (values !== undefined) await ground.api.create(secrets, aSecret('pair', values));
      const result = await setUp(ground);
      expect(result).toMatchObject({ ready: false, reason });
      expect(result.message).toContain(said);
    },
  );

  it('signs what the CSR names and what the request allows, with its own certificate as ca.crt', async () => {
    const ground = await anIssuerGround();
    const pair = await aSigningPair(ground.clock.now() - hourMs);
    await ground.api.create(secrets, aSecret('pair', pair));
    const content = {
      commonName: 'site',
      dnsNames: ['site.example.com'],
      ipAddresses: ['192.0.2.1'],
      uris: ['a:b'],
    };
    const { leaf, ca } = await sign(ground, content, { usages: ['server auth'], duration: '24h' });
    expect(leaf).toMatchObject({ ...content, isCA: false, usages: ['server auth'] });
    expect(leaf.notAfterMs).toBe(ground.clock.now() + 24 * hourMs);
    expect(leaf.notBeforeMs).toBe(ground.clock.now() - 60_000);
    expect(ca).toBe(pair['tls.crt']);
  });

  it('signs an authority only where the request says so', async () => {
    const ground = await anIssuerGround();
    await ground.api.create(secrets, aSecret('pair', await aSigningPair(ground.clock.now())));
    expect((await sign(ground, { commonName: 'sub' }, { isCA: true })).leaf.isCA).toBe(true);
    expect((await sign(ground, { commonName: 'sub' })).leaf.isCA).toBe(false);
  });

  it('signs nothing that begins before its own certificate, or ends after it', async () => {
    const ground = await anIssuerGround();
    const pair = await aSigningPair(ground.clock.now(), { lifetimeMs: hourMs });
    await ground.api.create(secrets, aSecret('pair', pair));
    const { leaf } = await sign(ground);
    const own = parseCertificate(pair['tls.crt']);
    expect([leaf.notBeforeMs, leaf.notAfterMs]).toEqual([own.notBeforeMs, own.notAfterMs]);
  });

  it('waits where its Secret has gone since it was ready', async () => {
    const ground = await anIssuerGround();
    const result = await caIssuer(ground.context).sign(issuer, await aSignRequest(), signal);
    expect(result).toMatchObject({ kind: 'pending', afterMs: 10_000 });
  });

  it("takes a ClusterIssuer's pair from the cluster resource namespace", async () => {
    const ground = await anIssuerGround();
    const clusterIssuer = anIssuer({ ca: { secretName: 'pair' } }, '');
    await ground.api.create(secrets, aSecret('pair', await aSigningPair(ground.clock.now())));
    expect((await caIssuer(ground.context).setUp(clusterIssuer, signal)).ready).toBe(false);
    await ground.api.create(secrets, aSecret('pair', await aSigningPair(ground.clock.now()), 'system'));
    expect((await caIssuer(ground.context).setUp(clusterIssuer, signal)).ready).toBe(true);
  });
});
