import { describe, expect, it } from 'vitest';
import type { AcmeSolver } from '../../api/acme/solver.ts';
import { type ChallengeChoice, challengeFor } from './challenge-for.ts';
import { anAuthorization, anOrder } from './order.testing.ts';

const temporary: AcmeSolver = { http01: { ingress: { ingressClassName: 'nginx' } } };
const inPlace: AcmeSolver = { http01: { ingress: { name: 'web' } } };
const connection = { thumbprint: 'the-thumbprint' };

function choose(
  solver: AcmeSolver,
  authorization = anAuthorization(),
  order = anOrder('eA=='),
): ChallengeChoice {
  return challengeFor(order, order.metadata, authorization, [solver], connection, () => false);
}

function challengeOf(choice: ChallengeChoice) {
  if ('problem' in choice) throw new Error(choice.problem);
  return choice.challenge;
}

describe('the Challenge for an authorization', () => {
  it('is for the http-01 challenge that the server offers, and says what the server gave', () => {
    const { metadata, spec } = challengeOf(choose(temporary));
    expect(metadata).toMatchObject({
      namespace: 'shop',
      ownerReferences: [{ kind: 'Order', name: 'site-1-order', uid: 'site-1-order-uid', controller: true }],
    });
    expect(spec).toEqual({
      type: 'HTTP-01',
      url: 'https://acme.example.com/challenge/1',
      authorizationURL: 'https://acme.example.com/authz/1',
      dnsName: 'site.example.com',
      wildcard: false,
      token: 't'.repeat(43),
      key: `${'t'.repeat(43)}.the-thumbprint`,
      solver: temporary,
      issuerRef: { name: 'acme' },
    });
  });

  it('has the same name each time, and another for another authorization', () => {
    const name = challengeOf(choose(temporary)).metadata.name;
    expect(challengeOf(choose(temporary)).metadata.name).toBe(name);
    const other = anAuthorization({ url: 'https://acme.example.com/authz/2' });
    expect(challengeOf(choose(temporary, other)).metadata.name).not.toBe(name);
  });

  it('has a finalizer only where what it leaves in an Ingress must be undone', () => {
    expect(challengeOf(choose(temporary)).metadata.finalizers).toBeUndefined();
    expect(challengeOf(choose(inPlace)).metadata.finalizers).toEqual(['acme.cert-manager.io/finalizer']);
  });

  it('is solved in the Ingress that the Order names', () => {
    const annotations = { 'acme.cert-manager.io/http01-override-ingress-name': 'shop' };
    const order = anOrder('eA==', undefined, { metadata: { annotations } });
    const { spec } = challengeOf(choose(temporary, anAuthorization(), order));
    expect(spec.solver.http01?.ingress).toEqual({ name: 'shop' });
  });

  it.each([
    ['a wildcard name', anAuthorization({ wildcard: true }), 'a wildcard name needs a DNS01 challenge'],
    ['a name without http-01', anAuthorization({ challenges: [] }), 'offers no http-01 challenge'],
  ])('cannot be had for %s, and a sentence says so', (_what, authorization, said) => {
    const choice = choose(temporary, authorization);
    expect(choice).toMatchObject({ problem: expect.stringContaining(said) as string });
    expect('problem' in choice && choice.problem).toMatch(/[^.]\.$/);
  });
});
