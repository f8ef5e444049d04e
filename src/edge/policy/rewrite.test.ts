import { describe, expect, it } from 'vitest';
import type { Route } from '../compile/table.ts';
import { aHead } from './heads.testing.ts';
import { rewrittenTarget } from './rewrite.ts';
import { plainPolicy, type Rewrite } from './route-policy.ts';

function routeOf(path: string): Route {
  const source = { kind: 'Ingress', namespace: 'default', name: 'site' } as const;
  return {
    source,
    host: 'foo.com',
    path,
    kind: 'Regex',
    policy: plainPolicy,
    backend: 'b',
    alternatives: [],
  };
}

function rewritten(rewrite: Rewrite, path: string, target: string): string | undefined {
  return rewrittenTarget(rewrite, routeOf(path), aHead({ target }));
}

describe('rewrite-target', () => {
  it.each([
    ['/something(/|$)(.*)', '/$2', '/something/new?a=1', '/new?a=1'],
    ['/something(/|$)(.*)', '/$2', '/something', '/'],
    ['/Foo(/|$)(.*)', '/$2', '/foo/x', '/x'],
    ['/old', '/new', '/old/page', '/new'],
    ['/a/(.*)/(.*)', '/$2/$1', '/a/b/c', '/c/b'],
    ['/(.*)', '/find?path=$1', '/x?y=2', '/find?path=x&y=2'],
    ['/(.*)', '/$1?', '/x?y=2', '/x'],
    ['(/.*)', '$1', '/x', '/x'],
    ['/(.*)', '/$1$9', '/x', '/x'],
    ['/(.*)', '/$1', '/a%2Fb', '/a%2Fb'],
  ])('%s with %s: %s becomes %s', (path, target, request, expected) => {
    expect(rewritten({ kind: 'pattern', target }, path, request)).toBe(expected);
  });

  it('a path that would climb is none', () => {
    expect(rewritten({ kind: 'pattern', target: '/.$1' }, '/x(.*)', '/x./secret')).toBeUndefined();
    expect(rewritten({ kind: 'pattern', target: '/a/.$1/b' }, '/x(.*)', '/x.')).toBeUndefined();
    expect(rewritten({ kind: 'prefix', prefix: '/x', replacement: '/.' }, '/', '/x./b')).toBeUndefined();
  });
});

describe("a Mapping's rewrite", () => {
  it.each([
    ['/foo/', '/', '/foo/bar?q', '/bar?q'],
    ['/foo', '/', '/foo/bar', '/bar'],
    ['/foo', '/', '/foobar', '/bar'],
    ['/foo', '/v2', '/foo/bar', '/v2/bar'],
    ['/Foo', '/', '/foo/bar', '/bar'],
    ['/foo', '', '/foo', '/'],
  ])('of %s to %s: %s becomes %s', (prefix, replacement, request, expected) => {
    expect(rewritten({ kind: 'prefix', prefix, replacement }, '/', request)).toBe(expected);
  });

  it.each([
    ['/users/([0-9]+)/', '/u/\\1/', '/api/users/7/pets', '/api/u/7/pets'],
    ['a', 'b', '/aXa', '/bXb'],
    ['^/a', '/b', '/a/a', '/b/a'],
    ['/none', '/x', '/foo', '/foo'],
    ['(?=x)', '/x', '/foo', '/foo'],
    ['x*', 'y', '/foo', '/foo'],
  ])('by %s to %s: %s becomes %s', (pattern, substitution, request, expected) => {
    expect(rewritten({ kind: 'regex', pattern, substitution }, '/', request)).toBe(expected);
  });

  it('matching takes linear time', () => {
    const startedMs = performance.now();
    rewritten({ kind: 'regex', pattern: '(a+)+b', substitution: 'x' }, '/', `/${'a'.repeat(8_000)}`);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
