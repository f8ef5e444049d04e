import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCaptures } from './path-captures.ts';
import { compilePattern } from './path-pattern.ts';

function captured(source: string, path: string, ignoreCase = false): readonly string[] | undefined {
  const compiled = compileCaptures(source, { ignoreCase });
  if ('error' in compiled) throw new Error(compiled.error);
  return compiled.captures(path);
}

/** Patterns without repetitions that can be empty, in which engines differ on what the last round took. */
const pattern = fc.letrec<{ node: string; atom: string }>(tie => ({
  node: fc.oneof(
    { depthSize: 'small' },
    tie('atom'),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
    fc
      .tuple(tie('atom'), fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{2,}?'))
      .map(([a, q]) => `${a}${q}`),
    tie('node').map(a => `(${a})`),
  ),
  atom: fc.constantFrom('a', 'B', '/', '.', '[ab]', '[^a]', '[a-c/]', '\\d', '(?:a$|b)'),
})).node;

const path = fc.string({ unit: fc.constantFrom('a', 'b', 'B', 'c', '/', '1'), maxLength: 10 });

describe('captures', () => {
  it('are those of the JavaScript engine', () => {
    fc.assert(
      fc.property(pattern, path, fc.boolean(), (source, text, ignoreCase) => {
        const expected = new RegExp(`^(?:${source})`, ignoreCase ? 'i' : '').exec(text);
        expect(captured(source, text, ignoreCase)).toEqual(
          expected === null ? undefined : [...expected].map(one => one ?? ''),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['/something(/|$)(.*)', '/something/new', ['/something/new', '/', 'new']],
    ['/something(/|$)(.*)', '/something', ['/something', '', '']],
    ['/a(.*?)/c', '/abb/c/c', ['/abb/c', 'bb']],
    ['/(v[0-9]+)/(.*)', '/V2/x', undefined],
  ])('%s on %s', (source, text, expected) => {
    expect(captured(source, text)).toEqual(expected);
  });

  it('takes linear time where backtracking takes exponential time', () => {
    const startedMs = performance.now();
    expect(captured('/(a+)+(a|a)*(aa?)+$', `/${'a'.repeat(4_000)}!`)).toBeUndefined();
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});

describe('patterns that do not tell letters apart', () => {
  it('agree with the JavaScript engine', () => {
    fc.assert(
      fc.property(pattern, path, (source, text) => {
        const compiled = compilePattern(source, { ignoreCase: true });
        if ('error' in compiled) throw new Error(compiled.error);
        expect(compiled.pattern.matches(text)).toBe(new RegExp(`^(?:${source})`, 'i').test(text));
      }),
      { numRuns: 1_000 },
    );
  });
});
