import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCaptures } from './path-captures.ts';
import { compilePattern } from './path-pattern.ts';

function matches(source: string, path: string): boolean {
  const compiled = compilePattern(source);
  if ('error' in compiled) throw new Error(compiled.error);
  return compiled.pattern.matches(path);
}

/** Patterns of the shared syntax, as text. */
const pattern = fc.letrec<{ node: string; atom: string }>(tie => ({
  node: fc.oneof(
    { depthSize: 'small' },
    tie('atom'),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('atom'), fc.constantFrom('*', '+', '?', '*?', '{2}', '{1,3}', '{2,}'))
      .map(([a, q]) => `${a}${q}`),
    fc.tuple(tie('node'), fc.constantFrom('*', '+', '?')).map(([a, q]) => `(${a})${q}`),
  ),
  atom: fc
    .constantFrom('a', 'b', '/', '.', '[ab]', '[^a]', '[a-c/]', '\\d', '\\w', '\\.', '$', 'x')
    .map(text => (text === '$' ? '(?:a$|b)' : text)),
})).node;

const path = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '/', '.', '1', 'x'), maxLength: 12 });

describe('path patterns', () => {
  it('agree with the JavaScript engine, anchored at the beginning', () => {
    fc.assert(
      fc.property(pattern, path, (source, text) => {
        expect(matches(source, text)).toBe(new RegExp(`^(?:${source})`).test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['/v[0-9]+/users', '/v12/users', true],
    ['/v[0-9]+/users', '/v12/users/7', true],
    ['/v[0-9]+/users$', '/v12/users/7', false],
    ['/v[0-9]+/users', '/x/v12/users', false],
    ['^/a', '/a', true],
    ['/[A-Za-z0-9_.-]+/test', '/abcA9/test', true],
    ['/(foo|bar)/.*\\.png$', '/bar/x/y.png', true],
    ['/a{2,3}b', '/aab', true],
    ['/a{2,3}b', '/ab', false],
  ])('%s on %s: %s', (source, text, expected) => {
    expect(matches(source, text)).toBe(expected);
  });

  it('takes linear time where backtracking takes exponential time', () => {
    const startedMs = performance.now();
    expect(matches('/(a+)+(a|a)*(aa?)+$', `/${'a'.repeat(8_000)}!`)).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  it('goes through no rounds of nothing', () => {
    const rounds = (node: string, depth: number): string =>
      depth === 0 ? node : `(?:${rounds(node, depth - 1)}){100}`;
    for (const source of [`/${rounds('', 15)}`, `/${rounds('()|', 12)}`, `/${rounds('(?:)*', 12)}`])
      expect(matches(source, '/a')).toBe(true);
    expect(compileCaptures(`/${rounds('(?:)', 15)}`)).toHaveProperty('captures');
  });

  it.each([
    ['/(?=a)', 'look-around'],
    ['/(a)\\1', '"\\1" is not supported'],
    ['/(a', 'never closed'],
    ['/a)', 'closes nothing'],
    ['/*', 'undefined'],
    ['/a**', 'repeats a repetition'],
    ['/a{3,2}', 'out of order'],
    ['/a{1000}', 'beyond 100'],
    ['/((((((a{50}){50}){50})', 'never closed'],
    ['/((a{50}){50}){50}', 'too large'],
    ['/[z-a]', 'not in order'],
    ['/[a', 'ends too early'],
    ['/ä', 'beyond ASCII'],
    ['/{', 'no repetition'],
    [`/${'a'.repeat(600)}`, 'longer than'],
    [`/${'('.repeat(50)}`, 'deep'],
  ])('refuses %s', (source, reason) => {
    const compiled = compilePattern(source);
    expect('error' in compiled ? compiled.error : 'undefined').toContain(reason);
  });
});
