import { describe, expect, it } from 'vitest';
import type { AcmeSolver, SolverSelector } from '../../api/acme/solver.ts';
import { type ChosenFor, chooseSolver } from './choose.ts';
import { solverWithOverrides } from './solver-settings.ts';

const http01 = { ingress: { class: 'nginx' } };
const site: ChosenFor = {
  host: 'www.shop.example.com',
  wildcard: false,
  labels: { team: 'a', env: 'prod' },
  offered: ['http-01'],
};

const solverWith = (selector?: SolverSelector): AcmeSolver =>
  selector === undefined ? { http01 } : { selector, http01 };

describe('choosing a solver', () => {
  it.each<[string, (SolverSelector | undefined)[], number]>([
    ['the one without selector', [undefined], 0],
    ['the first of equals', [undefined, undefined], 0],
    [
      'an exact name before a zone',
      [{ dnsZones: ['example.com'] }, { dnsNames: ['www.shop.example.com'] }],
      1,
    ],
    ['the longest zone', [{ dnsZones: ['example.com'] }, { dnsZones: ['com', 'shop.example.com'] }], 1],
    ['a zone before labels', [{ matchLabels: { team: 'a', env: 'prod' } }, { dnsZones: ['com'] }], 1],
    ['most labels', [{ matchLabels: { team: 'a' } }, { matchLabels: { team: 'a', env: 'prod' } }], 1],
    ['a match before the default', [undefined, { matchLabels: { team: 'a' } }], 1],
    [
      'none that fails in one part',
      [{ dnsNames: ['www.shop.example.com'], matchLabels: { team: 'b' } }, undefined],
      1,
    ],
    ['no zone that is only a suffix', [{ dnsZones: ['op.example.com'] }, undefined], 1],
    ['a zone that is the name itself', [undefined, { dnsZones: ['www.shop.example.com'] }], 1],
  ])('takes %s', (_what, selectors, index) => {
    expect(chooseSolver(selectors.map(solverWith), site)).toMatchObject({ index });
  });

  it.each<[string, AcmeSolver[], Partial<ChosenFor>, string]>([
    ['there is none', [], {}, 'has no solver'],
    ['none matches', [solverWith({ dnsNames: ['x.test'] })], {}, "none of the issuer's 1 solvers matches"],
    ['the name is a wildcard', [{ dns01: {} }], { wildcard: true }, 'wildcard name needs a DNS01 challenge'],
    ['only DNS01 matches', [{ dns01: {} }], {}, 'spec.acme.solvers[0] (dns01)'],
    ['only the Gateway API matches', [{ http01: { gatewayHTTPRoute: {} } }], {}, '(http01.gatewayHTTPRoute)'],
    ['the CA offers no HTTP01', [solverWith()], { offered: ['dns-01'] }, 'offers no http-01'],
  ])('says why where %s', (_what, solvers, more, text) => {
    const choice = chooseSolver(solvers, { ...site, ...more });
    expect(choice).toEqual({ reason: expect.stringContaining(text) });
    expect(choice).toEqual({ reason: expect.stringContaining('www.shop.example.com') });
  });

  it('passes over a DNS01 solver where an HTTP01 solver matches too', () => {
    expect(chooseSolver([{ dns01: {} }, solverWith()], site)).toMatchObject({ index: 1 });
  });
});

describe('where a solver puts the challenge', () => {
  const prefix = 'acme.cert-manager.io/http01-override-ingress';
  it.each([
    [{ class: 'nginx' }, {}, { class: 'nginx' }],
    [{ class: 'nginx' }, { [`${prefix}-class`]: 'other' }, { class: 'other' }],
    [{ name: 'shop' }, { [`${prefix}-ingressclassname`]: 'other' }, { ingressClassName: 'other' }],
    [
      { ingressClassName: 'nginx' },
      { [`${prefix}-name`]: 'shop', [`${prefix}-class`]: 'x' },
      { name: 'shop' },
    ],
    [{ class: 'nginx' }, { [`${prefix}-class`]: '' }, { class: 'nginx' }],
    [{}, { 'postern.dev/ingress-class': 'old' }, { class: 'old' }],
    [{}, { 'postern.dev/ingress-class': 'postern' }, { ingressClassName: 'postern' }],
    [{ class: 'nginx' }, { 'postern.dev/ingress-class': 'postern' }, { class: 'nginx' }],
    [{}, {}, {}],
    [
      { class: 'nginx', serviceType: 'NodePort' as const },
      { [`${prefix}-name`]: 'shop' },
      { name: 'shop', serviceType: 'NodePort' },
    ],
  ])('solver %j with annotations %j gives %j', (ingress, annotations, expected) => {
    const chosen = solverWithOverrides({ http01: { ingress } }, annotations, name => name === 'postern');
    expect(chosen.http01?.ingress).toEqual(expected);
  });
});
