import { expect, it } from 'vitest';
import { challenges } from '../../api/acme/challenge.ts';
import { type OrderStatus, orders } from '../../api/acme/order.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { createAcmeAccounts } from '../../issuers/acme/accounts.ts';
import { ownedBy } from '../../issuers/owned-by.ts';
import { createNameChecks } from '../../solvers/http01/name-checks.ts';
import { createProofs } from '../proofs.ts';
import { wakeUpsOf } from '../wake-ups.testing.ts';
import { orderController } from './index.ts';
import { aChallenge, anOrder, aRequest } from './order.testing.ts';

const watched = () =>
  wakeUpsOf(context =>
    orderController(
      context,
      createAcmeAccounts({ ...context, clusterResourceNamespace: 'system' }, { userAgent: 'test' }),
      {
        proofs: createProofs(context.clock),
        names: createNameChecks({ resolve: async () => ({ addresses: [] }), clock: context.clock }),
        madeHere: new Set(),
        approves: true,
      },
    ),
  );

const certificate = Buffer.from('the chain').toString('base64');

it.each<[string, OrderStatus, boolean]>([
  ['is under way', { state: 'pending' }, true],
  ['is valid, and has no certificate yet', { state: 'valid' }, true],
  ['has its certificate', { state: 'valid', certificate }, false],
  ['has failed', { state: 'invalid' }, false],
])('a Challenge that is gone counts for an Order that %s: %s', async (_what, status, counts) => {
  const { store, by } = await watched();
  const order = await store.create(orders, anOrder('cmVxdWVzdA=='));
  await store.updateStatus(orders, { ...order, status });
  const challenge = aChallenge();
  const key = { namespace: 'shop', name: 'site-1-challenge' };
  expect(await by(() => store.create(challenges, challenge))).toEqual(['shop/site-1-order']);
  expect(await by(() => store.delete(challenges, key))).toEqual(counts ? ['shop/site-1-order'] : []);
});

it('a CertificateRequest that is gone counts for its Order', async () => {
  const { store, by } = await watched();
  const request = await store.create(certificateRequests, aRequest('cmVxdWVzdA=='));
  const metadata = { ownerReferences: [ownedBy(request, certificateRequests)] };
  await store.create(orders, anOrder('cmVxdWVzdA==', undefined, { metadata }));
  const key = { namespace: 'shop', name: 'site-1' };
  expect(await by(() => store.delete(certificateRequests, key))).toEqual(['shop/site-1-order']);
});
