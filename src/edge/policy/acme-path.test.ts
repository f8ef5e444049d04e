import { expect, it } from 'vitest';
import { isAcmeChallengePath } from './acme-path.ts';

it.each([
  ['/.well-known/acme-challenge/', true],
  ['/.well-known/acme-challenge/LoqXcYV8-q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0', true],
  ['/.well-known/acme-challenge', false],
  ['/.well-known/acme-challenge/a/b', false],
  ['/.well-known/acme-challenge/|/', false],
  ['/.well-known/acme-challenge/(.*)', false],
  ['/.WELL-KNOWN/acme-challenge/a', false],
])('%s is a path that an ACME authority asks for: %s', (path, expected) => {
  expect(isAcmeChallengePath(path)).toBe(expected);
});
