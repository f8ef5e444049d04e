import { expect, it } from 'vitest';
import type { AcmeSolver } from '../../api/acme/solver.ts';
import { solverProblems } from './solver-problems.ts';

const good: AcmeSolver = { http01: { ingress: {} } };

it.each([
  ['none', [], ['spec.acme.solvers is empty; add one with http01.ingress.']],
  ['one that can be used', [good], []],
  [
    'one that names the Ingress twice',
    [{ http01: { ingress: { class: 'a', name: 'b' } } }],
    ['sets class and name; set one of them.'],
  ],
  ['DNS01 alone', [{ dns01: {} }], ['spec.acme.solvers[0].dns01 is not supported; use http01.ingress.']],
  ['the Gateway API alone', [{ http01: { gatewayHTTPRoute: {} } }], ['gatewayHTTPRoute is not supported']],
  ['one of no type', [{}], ['spec.acme.solvers[0] has neither http01 nor dns01; add http01.ingress.']],
  ['two that cannot be used', [{ dns01: {} }, {}], ['solvers[0].dns01 is not', 'solvers[1] has neither']],
  ['one that can be used beside one that cannot', [{ dns01: {} }, good], []],
] as [string, AcmeSolver[], string[]][])('of solvers: %s', (_what, solvers, problems) => {
  expect(solverProblems(solvers)).toEqual(problems.map(said => expect.stringContaining(said) as string));
});
