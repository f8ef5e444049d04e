import { describe, expect, it } from 'vitest';
import type { AcmeState } from '../../api/acme/order.ts';
import { aChallenge, anAuthorization, anOrder } from '../order/order.testing.ts';
import { decideChallenge } from './decide.ts';

const order = anOrder('eA==', { authorizations: [anAuthorization()] });

describe('a Challenge', () => {
  it('is solved where its Order has asked for just this', () => {
    expect(decideChallenge(aChallenge(), order)).toEqual({ kind: 'solve' });
    expect(decideChallenge(aChallenge({ state: 'pending' }), order)).toEqual({ kind: 'solve' });
  });

  it.each(['valid', 'invalid', 'expired', 'errored'] as AcmeState[])('is cleaned up when it is %s', state => {
    expect(decideChallenge(aChallenge({ state }), order)).toEqual({ kind: 'clean-up' });
  });

  it.each(['valid', 'invalid', 'expired', 'errored'] as AcmeState[])(
    'is cleaned up when its Order is %s',
    state => {
      const over = { ...order, status: { ...order.status, state } };
      expect(decideChallenge(aChallenge(), over)).toEqual({ kind: 'clean-up' });
    },
  );

  it('is cleaned up when it is being deleted, and removed when its Order is gone, or another', () => {
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const leaving = aChallenge();
    const metadata = { ...leaving.metadata, deletionTimestamp };
    const another = { ...order, metadata: { ...order.metadata, uid: 'another' } };
    expect(decideChallenge({ ...leaving, metadata }, order)).toEqual({ kind: 'clean-up' });
    expect(decideChallenge({ ...leaving, metadata }, undefined)).toEqual({ kind: 'clean-up' });
    expect(decideChallenge(aChallenge(), undefined)).toEqual({ kind: 'remove' });
    expect(decideChallenge(aChallenge({ state: 'valid' }), undefined)).toEqual({ kind: 'remove' });
    expect(decideChallenge(aChallenge(), another)).toEqual({ kind: 'remove' });
  });

  it.each([
    [
      'that no Order controls',
      { metadata: { ownerReferences: [] } },
      'No Order controls this Challenge; delete it',
    ],
    ['for another name', { spec: { dnsName: 'victim.example.com' } }, 'has not asked for this Challenge'],
    ['with another token', { spec: { token: 'x'.repeat(43) } }, 'has not asked for this Challenge'],
    ['at another URL', { spec: { url: 'http://169.254.169.254/' } }, 'has not asked for this Challenge'],
    ['of another authorization', { spec: { authorizationURL: 'x' } }, 'has not asked for this Challenge'],
    [
      'with the token of another type',
      { spec: { token: 'd'.repeat(43) } },
      'has not asked for this Challenge',
    ],
    ['by DNS01', { spec: { type: 'DNS-01' as const, solver: { dns01: {} } } }, 'not http01.ingress'],
    ['by the Gateway API', { spec: { solver: { http01: { gatewayHTTPRoute: {} } } } }, 'not http01.ingress'],
  ])('%s is refused', (_what, more, said) => {
    const decision = decideChallenge(aChallenge(undefined, more), order);
    expect(decision).toMatchObject({ kind: 'refuse', reason: expect.stringContaining(said) as string });
  });
});
