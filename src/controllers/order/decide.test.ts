import { beforeAll, describe, expect, it } from 'vitest';
import type { AcmeState, OrderStatus } from '../../api/acme/order.ts';
import { decideOrder } from './decide.ts';
import { aChallenge, anAuthorization, anOrder, aRequest, aRequestFor } from './order.testing.ts';

let csr: string;
let otherCsr: string;

beforeAll(async () => {
  csr = await aRequestFor('site.example.com');
  otherCsr = await aRequestFor('site.example.com', 'more.example.com');
});

const ordered = (more: OrderStatus = {}): OrderStatus => ({
  url: 'https://acme.example.com/order/1',
  finalizeURL: 'https://acme.example.com/finalize/1',
  state: 'pending',
  authorizations: [anAuthorization()],
  ...more,
});
const second = { url: 'https://acme.example.com/authz/2', identifier: 'more.example.com' };

describe('the steps of an Order', () => {
  it.each([
    ['nothing is ordered yet', undefined, [], { kind: 'order' }],
    ['it waited before it was ordered', { state: 'pending', reason: 'no issuer' }, [], { kind: 'order' }],
    [
      'what is to be proved could not be read',
      ordered({ authorizations: [{ url: 'https://acme.example.com/authz/1' }] }),
      [],
      { kind: 'read-authorizations' },
    ],
    ['a name is to be proved', ordered(), [], { kind: 'challenge', authorizations: [anAuthorization()] }],
    [
      'another name is to be proved',
      ordered({ authorizations: [anAuthorization(), anAuthorization(second)] }),
      [aChallenge()],
      { kind: 'challenge', authorizations: [anAuthorization(second)] },
    ],
    ['the proof is under way', ordered(), [aChallenge({ state: 'pending' })], { kind: 'wait' }],
    [
      'the answer is not found from here',
      ordered(),
      [aChallenge({ state: 'pending', reason: 'The self-check fails: no answer; open port 80.' })],
      {
        kind: 'wait',
        reason:
          'The HTTP-01 challenge for site.example.com waits: The self-check fails: no answer; open port 80.',
      },
    ],
    [
      'it only takes a while',
      ordered(),
      [aChallenge({ state: 'pending', reason: 'Waiting for the ACME server to verify the name.' })],
      { kind: 'wait' },
    ],
    ['the proof is there', ordered(), [aChallenge({ state: 'valid' })], { kind: 'finalize' }],
    [
      'the name was proved before',
      ordered({ authorizations: [anAuthorization({ initialState: 'valid' })] }),
      [],
      { kind: 'finalize' },
    ],
    [
      'the proof of another name does not count',
      ordered(),
      [
        aChallenge({ state: 'pending' }),
        aChallenge({ state: 'valid' }, { spec: { authorizationURL: 'other' } }),
      ],
      { kind: 'wait' },
    ],
    [
      'all was proved before it was taken over, and its Challenges are gone',
      ordered({ state: 'ready' }),
      [],
      { kind: 'finalize' },
    ],
    ['it was finalized before it was taken over', ordered({ state: 'valid' }), [], { kind: 'finalize' }],
    [
      'the certificate is there',
      ordered({ state: 'valid', certificate: 'eA==' }),
      [aChallenge({ state: 'valid' })],
      { kind: 'clean-up', challenges: [aChallenge({ state: 'valid' })] },
    ],
    ['all is done', ordered({ state: 'valid', certificate: 'eA==' }), [], { kind: 'ignore' }],
  ] as [string, OrderStatus | undefined, ReturnType<typeof aChallenge>[], object][])(
    'when %s',
    (_when, status, challenges, decision) => {
      expect(decideOrder(anOrder(csr, status), aRequest(csr), challenges, true)).toEqual(decision);
    },
  );

  it.each(['invalid', 'expired', 'errored'] as AcmeState[])(
    'a challenge that is %s ends it, with the reason',
    state => {
      const lost = aChallenge({ state, reason: 'nobody answered' });
      expect(decideOrder(anOrder(csr, ordered()), aRequest(csr), [lost], true)).toEqual({
        kind: 'fail',
        state,
        reason: `The HTTP-01 challenge for site.example.com is ${state}: nobody answered.`,
      });
      const over = anOrder(csr, ordered({ state }));
      expect(decideOrder(over, aRequest(csr), [lost], true)).toEqual({
        kind: 'clean-up',
        challenges: [lost],
      });
    },
  );
});

describe('an order that is lost through no fault of its names', () => {
  const lost = aChallenge({ state: 'invalid', reason: 'The order is lost: nobody was there.' });
  const failureTime = '2026-01-01T00:00:00Z';
  const decide = (status: OrderStatus, ...challenges: ReturnType<typeof aChallenge>[]) =>
    decideOrder(anOrder(csr, status), aRequest(csr), challenges, true);

  it('is made again, once', () => {
    expect(decide(ordered(), lost)).toEqual({
      kind: 'start-over',
      reason: 'The HTTP-01 challenge for site.example.com is invalid: The order is lost: nobody was there.',
    });
    expect(decide(ordered({ failureTime }), lost)).toMatchObject({ kind: 'fail', state: 'invalid' });
  });

  it('has its Challenges cleared away before, and they count for nothing', () => {
    expect(decide({ state: 'pending', failureTime }, lost)).toEqual({ kind: 'clean-up', challenges: [lost] });
    const leaving = { ...lost, metadata: { ...lost.metadata, deletionTimestamp: failureTime } };
    expect(decide({ state: 'pending', failureTime }, leaving)).toEqual({ kind: 'order' });
    const again = ordered({ failureTime, authorizations: [anAuthorization(second)] });
    expect(decide(again, leaving)).toEqual({ kind: 'challenge', authorizations: [anAuthorization(second)] });
    expect(decide(again, lost)).toEqual({ kind: 'clean-up', challenges: [lost] });
  });
});

describe('an Order that is not to be carried through', () => {
  it('is left alone when it is being deleted, or its request is denied; and goes after its request', () => {
    const order = anOrder(csr);
    const request = aRequest(csr);
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const leaving = { ...order, metadata: { ...order.metadata, deletionTimestamp } };
    const another = { ...request, metadata: { ...request.metadata, uid: 'another' } };
    const denied = { ...request, status: { conditions: [{ type: 'Denied', status: 'True' as const }] } };
    expect(decideOrder(leaving, request, [], true)).toEqual({ kind: 'ignore' });
    expect(decideOrder(order, denied, [], true)).toEqual({ kind: 'ignore' });
    for (const gone of [undefined, another])
      expect(decideOrder(order, gone, [], true)).toEqual({ kind: 'remove' });
  });

  it.each([
    [
      'without an owner',
      () => anOrder(csr, undefined, { metadata: { ownerReferences: [] } }),
      'No CertificateRequest controls',
    ],
    [
      'for other names',
      () => anOrder(csr, undefined, { spec: { dnsNames: ['victim.example.com'] } }),
      'does not ask for what',
    ],
    [
      'for more addresses',
      () => anOrder(csr, undefined, { spec: { ipAddresses: ['192.0.2.1'] } }),
      'does not ask for what',
    ],
    ['with another CSR', () => anOrder(otherCsr), 'does not ask for what'],
    [
      'by another issuer',
      () => anOrder(csr, undefined, { spec: { issuerRef: { name: 'other' } } }),
      'does not ask for what',
    ],
  ] as const)('is refused %s', (_what, order, said) => {
    const decision = decideOrder(order(), aRequest(csr), [], true);
    expect(decision).toMatchObject({
      kind: 'fail',
      state: 'errored',
      reason: expect.stringContaining(said) as string,
    });
  });

  it('is not refused for the order of its names', () => {
    const order = anOrder(otherCsr, undefined, {
      spec: { dnsNames: ['more.example.com', 'site.example.com'] },
    });
    expect(decideOrder(order, aRequest(otherCsr), [], true)).toEqual({ kind: 'order' });
  });
});
