import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalPath, canonicalRulePath, looselyRead } from './canonical-path.ts';

describe('canonical paths', () => {
  it.each([
    ['/', '/'],
    ['/foo/bar', '/foo/bar'],
    ['/foo/', '/foo/'],
    ['/a//b', '/a//b'],
    ['/%66oo', '/foo'],
    ['/a%2fb', '/a%2Fb'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/a/%2e%2E/b', '/b'],
    ['/.well-known/acme-challenge/x', '/.well-known/acme-challenge/x'],
    ['/...', '/...'],
    ['/..a', '/..a'],
    ['/\u00c3\u00a4', '/%C3%A4'],
    ['/a[0]', '/a%5B0%5D'],
    ['/%252e%252e/', '/%252e%252e/'],
  ])('%s becomes %s', (path, expected) => {
    expect(canonicalPath(path)).toBe(expected);
  });

  it.each([
    ['', 'no slash'],
    ['foo', 'no slash'],
    ['*', 'no slash'],
    ['/..', 'above the root'],
    ['/a/../../b', 'above the root'],
    ['/%2e%2e/x', 'above the root'],
    ['/a%zz', 'broken encoding'],
    ['/a%2', 'broken encoding'],
    ['/a%00', 'NUL'],
    ['/\\@evil', 'backslash'],
    ['/a#b', 'fragment'],
    ['/a\u0007', 'control character'],
    ['/a/..%2fadmin', 'hidden climb'],
    ['/a/%2e%2e%5cadmin', 'hidden climb'],
    ['/a/..;/admin', 'path parameter'],
  ])('refuses %j: %s', path => {
    expect(canonicalPath(path)).toBeUndefined();
  });

  const wild = fc.string({
    unit: fc.constantFrom(
      '/',
      '.',
      'a',
      'B',
      '%',
      '2',
      'e',
      'E',
      'f',
      '5',
      'c',
      ';',
      '\\',
      '~',
      '[',
      '\u00e9',
      '-',
    ),
    maxLength: 20,
  });

  it('what comes out is left as it is, and holds no dot segment', () => {
    fc.assert(
      fc.property(wild, text => {
        const path = canonicalPath(`/${text}`);
        if (path === undefined) return;
        expect(canonicalPath(path)).toBe(path);
        expect(path.split(/\/|%2F|%5C/)).not.toContain('..');
        expect(path.split('/')).not.toContain('.');
        expect(path).toMatch(/^\/[\x21-\x7e]*$/);
      }),
      { numRuns: 5_000 },
    );
  });

  it('agrees with the URL parser of WHATWG on where a path leads', () => {
    fc.assert(
      fc.property(wild, text => {
        const path = canonicalPath(`/${text}`);
        if (path === undefined || text.startsWith('/')) return;
        const bytes = Buffer.from(text, 'latin1').reduce(
          (all, byte) => all + (byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16)}`),
          '',
        );
        const parsed = canonicalPath(new URL(`http://x/${bytes}`).pathname);
        expect(parsed).toBe(path);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['/a/b', undefined],
    ['/a%2Fb', '/a/b'],
    ['/a%5Cb//c', '/a/b/c'],
    ['/;v=1/a;x=;y/b;', '/a/b'],
    ['//', '/'],
    ['/a%252Fb', undefined],
  ])('%s may be read as %s', (path, loose) => {
    expect(looselyRead(path)).toBe(loose);
  });

  it('brings rules to the same form as requests', () => {
    expect(canonicalRulePath('/ä b')).toBe(canonicalPath('/%c3%a4%20b'));
    expect(canonicalRulePath('/a?b')).toBeUndefined();
  });
});
