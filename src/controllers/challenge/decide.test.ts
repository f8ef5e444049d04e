import { beforeAll, describe, expect, it } from 'vitest';
import type { Challenge } from '../../api/acme/challenge.ts';
import type { AcmeState, Order } from '../../api/acme/order.ts';
import type { AcmeSolver } from '../../api/acme/solver.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import type { Condition } from '../../api/condition.ts';
import { aChallenge, anAuthorization, anOrder, aRequest, aRequestFor } from '../order/order.testing.ts';
import { type ChallengeDecision, type ChallengeGrounds, decideChallenge as decide } from './decide.ts';

const order = anOrder('eA==', { authorizations: [anAuthorization()] });
let request: CertificateRequest;

beforeAll(async () => {
  request = aRequest(await aRequestFor('site.example.com'));
});

function anIssuer(...solvers: AcmeSolver[]): Issuer {
  const acme = { server: 'https://acme.example.com/directory', privateKeySecretRef: { name: 'a' }, solvers };
  return { metadata: { name: 'acme', namespace: 'shop' }, spec: { acme } };
}

const decideChallenge = (
  challenge: Challenge,
  order: Order | undefined,
  more: Partial<ChallengeGrounds> = {},
): ChallengeDecision =>
  decide(challenge, {
    order,
    request,
    issuer: anIssuer({ http01: { ingress: {} } }),
    approves: true,
    isAccepted: false,
    ...more,
  });

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

describe('a Challenge whose Order asks for it', () => {
  const withConditions = (...conditions: Condition[]): CertificateRequest => ({
    ...request,
    status: { conditions },
  });
  const approved: Condition = { type: 'Approved', status: 'True' };
  const denied: Condition = { type: 'Denied', status: 'True' };

  it('is refused where no CertificateRequest controls the Order', () => {
    const byHand = { ...order, metadata: { ...order.metadata, ownerReferences: [] } };
    expect(decideChallenge(aChallenge(), byHand)).toMatchObject({
      kind: 'refuse',
      reason: expect.stringContaining(
        'No CertificateRequest controls Order "site-1-order"; delete it',
      ) as string,
    });
  });

  it('is not solved where the request is gone, another, denied, or not approved yet', () => {
    const cleanUp = { kind: 'clean-up' };
    const another = { ...request, metadata: { ...request.metadata, uid: 'another' } };
    for (const other of [undefined, another, withConditions(denied), withConditions(approved, denied)])
      expect(decideChallenge(aChallenge(), order, { request: other })).toEqual(cleanUp);
    expect(decideChallenge(aChallenge(), order, { approves: false })).toEqual(cleanUp);
    const byPolicy = { approves: false, request: withConditions(approved) };
    expect(decideChallenge(aChallenge(), order, byPolicy)).toEqual({ kind: 'solve' });
  });

  it.each([
    ['another name', { dnsName: 'victim.example.com' }],
    ['a part of its name', { dnsName: 'example.com' }],
    ['an address', { dnsName: '192.0.2.1' }],
    ['no name', { dnsName: 'http://site.example.com/' }],
    ['another issuer', { issuerRef: { name: 'other' } }],
    ['a ClusterIssuer of that name', { issuerRef: { name: 'acme', kind: 'ClusterIssuer' } }],
  ])('and names %s is refused, whatever the status of the Order says', (_what, spec) => {
    const identifier = 'dnsName' in spec ? spec.dnsName : 'site.example.com';
    const forged = { ...order, status: { authorizations: [anAuthorization({ identifier })] } };
    expect(decideChallenge(aChallenge(undefined, { spec }), forged)).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(
        /^CertificateRequest "site-1" does not ask for ".*" by the issuer/,
      ) as string,
    });
  });

  it('in another spelling of its name is solved', async () => {
    const forAddress = aRequest(await aRequestFor('Site.Example.com', 'more.example.com'));
    expect(decideChallenge(aChallenge(), order, { request: forAddress })).toEqual({ kind: 'solve' });
  });

  it('is refused where the CSR of its request is none', () => {
    expect(decideChallenge(aChallenge(), order, { request: aRequest('eA==') })).toMatchObject({
      kind: 'refuse',
    });
  });
});

describe('the solver of a Challenge', () => {
  const replaced = {
    kind: 'replace',
    reason: expect.stringContaining('not one that the issuer gives') as string,
  };
  const by = (solver: AcmeSolver): Challenge => aChallenge(undefined, { spec: { solver } });
  const template = { metadata: { annotations: { a: '1' }, labels: { b: '2' } } };

  it.each<[string, AcmeSolver, AcmeSolver[], Record<string, string>]>([
    [
      'as the issuer gives it',
      { http01: { ingress: { class: 'web' } } },
      [{ http01: { ingress: { class: 'web' } } }],
      {},
    ],
    [
      'of another place in the list, with its selector',
      { selector: { dnsNames: ['site.example.com'] }, http01: { ingress: { ingressTemplate: template } } },
      [{ dns01: {} }, { http01: { ingress: {} } }, { http01: { ingress: { ingressTemplate: template } } }],
      {},
    ],
    [
      "in the Ingress that the request's annotation names",
      { http01: { ingress: { name: 'shop' } } },
      [{ http01: { ingress: { class: 'web' } } }],
      { 'acme.cert-manager.io/http01-override-ingress-name': 'shop' },
    ],
    [
      'with the class of the source, by annotation',
      { http01: { ingress: { class: 'web' } } },
      [{ http01: { ingress: {} } }],
      { 'postern.dev/ingress-class': 'web' },
    ],
    [
      'with the class of the source, by name',
      { http01: { ingress: { ingressClassName: 'web' } } },
      [{ http01: { ingress: {} } }],
      { 'postern.dev/ingress-class': 'web' },
    ],
    [
      'without the class of the source, as cert-manager makes it, and with settings for its pods',
      { http01: { ingress: { serviceType: 'ClusterIP', podTemplate: {} } } },
      [{ http01: { ingress: {} } }],
      { 'postern.dev/ingress-class': 'web' },
    ],
  ])('%s is taken', (_what, solver, solvers, annotations) => {
    const asked = { ...request, metadata: { ...request.metadata, annotations } };
    const grounds = { request: asked, issuer: anIssuer(...solvers) };
    expect(decideChallenge(by(solver), order, grounds)).toEqual({ kind: 'solve' });
  });

  it.each<[string, AcmeSolver]>([
    ['in an Ingress of another', { http01: { ingress: { name: 'victim' } } }],
    ['with another class', { http01: { ingress: { class: 'internal' } } }],
    ['with another class by name', { http01: { ingress: { ingressClassName: 'internal' } } }],
    ['with a node port', { http01: { ingress: { serviceType: 'NodePort' } } }],
    [
      'with annotations for the Ingress controller',
      { http01: { ingress: { ingressTemplate: { metadata: { annotations: { snippet: 'x' } } } } } },
    ],
    ['with labels', { http01: { ingress: { ingressTemplate: { metadata: { labels: { app: 'x' } } } } } }],
    ['without a self-check', { http01: { ingress: {} }, waitInsteadOfSelfCheck: '1s' }],
  ])('%s is not taken from the Challenge: it is made anew', (_what, solver) => {
    expect(decideChallenge(by(solver), order)).toEqual(replaced);
  });

  it('stays as it is once the ACME server looks for the answer, and while there is no issuer', () => {
    const challenge = by({ http01: { ingress: { class: 'before' } } });
    expect(decideChallenge(challenge, order, { isAccepted: true })).toEqual({ kind: 'solve' });
    expect(decideChallenge(challenge, order, { issuer: undefined })).toEqual({ kind: 'solve' });
  });

  it('of an issuer that has none any more is not taken', () => {
    expect(decideChallenge(aChallenge(), order, { issuer: anIssuer() })).toEqual(replaced);
  });
});
