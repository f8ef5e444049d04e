import { describe, expect, it } from 'vitest';
import { type Order, type OrderStatus, orders } from '../../api/acme/order.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import type { CsrSpec } from '../../pki/csr.ts';
import { anIssuer, anIssuerGround, aSignRequest, type IssuerGround } from '../ground.testing.ts';
import type { SignRequest, SignResult } from '../issuer.ts';
import { addOrderIndex, signByOrder } from './sign.ts';

const acme = { server: 'https://acme.example.com/directory', privateKeySecretRef: { name: 'account' } };
const issuer = anIssuer({ acme });

interface Bench extends IssuerGround {
  readonly request: SignRequest;
  readonly sign: () => Promise<SignResult>;
  readonly orders: () => Promise<readonly Order[]>;
}

async function aBench(content?: CsrSpec, config: object = {}): Promise<Bench> {
  const ground = await anIssuerGround(orders, certificateRequests);
  addOrderIndex(ground.context);
  const { request, csr } = await aSignRequest(content, {
    spec: { duration: '24h' },
    annotations: {
      'acme.cert-manager.io/http01-override-ingress-name': 'web',
      'kubectl.kubernetes.io/x': 'y',
    },
  });
  // Without it the Order would be garbage.
  const stored = await ground.api.create(certificateRequests, request);
  const signRequest = { request: stored, csr };
  return {
    ...ground,
    request: signRequest,
    sign: () =>
      signByOrder(ground.context, { ...issuer, spec: { acme: { ...acme, ...config } } }, signRequest),
    orders: async () => (await ground.api.list(orders)).items,
  };
}

async function withStatus(bench: Bench, status: OrderStatus): Promise<void> {
  const [order] = await bench.orders();
  if (order !== undefined) await bench.api.updateStatus(orders, { ...order, status });
}

describe('a request for an ACME issuer', () => {
  it('gets an Order, one however often it is asked for, with what it names', async () => {
    const bench = await aBench({
      commonName: 'Site.example.com',
      dnsNames: ['site.example.com'],
      ipAddresses: ['192.0.2.1'],
    });
    const first = await bench.sign();
    expect(first).toMatchObject({
      kind: 'pending',
      message: expect.stringMatching(/^Waiting for Order "site-1-/) as string,
    });
    await bench.sign();
    const made = await bench.orders();
    expect(made).toHaveLength(1);
    expect(made[0]).toMatchObject({
      metadata: {
        annotations: { 'acme.cert-manager.io/http01-override-ingress-name': 'web' },
        ownerReferences: [{ kind: 'CertificateRequest', name: 'site-1', controller: true }],
      },
      spec: { commonName: 'Site.example.com', dnsNames: ['site.example.com'], ipAddresses: ['192.0.2.1'] },
    });
    expect(made[0]?.metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/x');
    expect(made[0]?.spec).not.toHaveProperty('duration');
  });

  it('goes by the Order that cert-manager has made for it, and makes no second one', async () => {
    const bench = await aBench();
    await bench.sign();
    const [own] = await bench.orders();
    if (own === undefined) throw new Error('no Order was made');
    await bench.api.delete(orders, { namespace: 'shop', name: own.metadata.name ?? '' });
    const { ownerReferences } = own.metadata;
    const metadata = { name: 'site-1-2374618265', namespace: 'shop', ownerReferences };
    const foreign = await bench.api.create(orders, { ...own, metadata });
    const others = { ...own, metadata: { ...metadata, name: 'site-1-1' } };
    await bench.api.create(orders, { ...others, spec: { ...own.spec, request: 'AAAA' } });
    expect(await bench.sign()).toMatchObject({
      message: expect.stringContaining('"site-1-2374618265"') as string,
    });
    expect(await bench.orders()).toHaveLength(2);
    expect(foreign.metadata.uid).toBeDefined();
  });

  it('asks for a lifetime and a profile where the issuer does', async () => {
    const bench = await aBench(undefined, { enableDurationFeature: true, profile: 'short' });
    await bench.sign();
    expect((await bench.orders())[0]?.spec).toMatchObject({ duration: '24h', profile: 'short' });
  });

  it.each([
    [
      'is under way',
      { state: 'pending', reason: 'no DNS' },
      { kind: 'pending', message: expect.stringMatching(/\(pending\)\. no DNS\.$/) },
    ],
    [
      'is valid',
      { state: 'valid', certificate: Buffer.from('PEM').toString('base64') },
      { kind: 'signed', chain: 'PEM', ca: undefined },
    ],
    ['is valid and not downloaded', { state: 'valid' }, { kind: 'pending' }],
    [
      'is invalid',
      { state: 'invalid', reason: 'no DNS.' },
      { kind: 'failed', message: expect.stringMatching(/ is invalid: no DNS\.$/) },
    ],
    [
      'has failed without a word',
      { state: 'errored' },
      { kind: 'failed', message: expect.stringMatching(/gave no reason\.$/) },
    ],
  ] as [string, OrderStatus, object][])('whose Order %s', async (_how, status, result) => {
    const bench = await aBench();
    await bench.sign();
    await withStatus(bench, status);
    expect(await bench.sign()).toMatchObject(result);
  });

  it.each([
    ['no name', { commonName: 'x' }, 'names no DNS name and no IP address'],
    ['a URI', { dnsNames: ['a.example.com'], uris: ['a:b'] }, 'ACME cannot certify "a:b"'],
    [
      'an email address',
      { dnsNames: ['a.example.com'], emailAddresses: ['a@b'] },
      'ACME cannot certify "a@b"',
    ],
    [
      'another name',
      { dnsNames: ['a.example.com'], otherNames: [{ oid: '1.2.3', utf8Value: 'me' }] },
      'ACME cannot certify "me"',
    ],
    [
      'a common name that is none of its names',
      { commonName: 'b', dnsNames: ['a.example.com'] },
      'The common name "b" is not',
    ],
    [
      'an authority',
      { dnsNames: ['a.example.com'], isCA: true },
      'ACME does not sign certificate authorities',
    ],
  ] as [string, CsrSpec, string][])('for %s fails, and nothing is ordered', async (_what, content, said) => {
    const bench = await aBench(content);
    expect(await bench.sign()).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining(said) as string,
    });
    expect(await bench.orders()).toEqual([]);
  });

  it('does not take the Order of somebody else for its own', async () => {
    const bench = await aBench();
    await bench.sign();
    const [order] = await bench.orders();
    const { name = '', namespace = '' } = order?.metadata ?? {};
    await bench.api.delete(orders, { namespace, name });
    await bench.api.create(orders, { ...(order as Order), metadata: { name, namespace } });
    expect(await bench.sign()).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining("is not the request's; delete it.") as string,
    });
  });
});
