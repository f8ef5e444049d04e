import { describe, expect, it } from 'vitest';
import { parseHost, parseRuleHost, wildcardFor } from './host.ts';

describe('hosts of requests', () => {
  it.each([
    ['foo.com', 'foo.com', false],
    ['FOO.com', 'foo.com', false],
    ['foo.com:8080', 'foo.com', false],
    ['foo.com:', 'foo.com', false],
    ['foo.com.', 'foo.com', false],
    ['foo.com.:443', 'foo.com', false],
    ['a_b.foo.com', 'a_b.foo.com', false],
    ['', '', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1:80', '10.0.0.1', true],
    ['[::1]:80', '[::1]', true],
  ])('statement 2 and 4: %j is %j, nameless %s', (header, name, nameless) => {
    expect(parseHost(header)).toMatchObject({ name, nameless });
  });

  it.each([
    'a b@c',
    'user@foo.com',
    'foo..com',
    '.foo.com',
    'foo.com:x',
    'foo.com:99999',
    'foo,bar',
    'foo/bar',
    '[::1',
    '[foo]',
    'f%6fo',
    'foo.com..',
    'ä.com',
    ':80',
  ])('refuses %j', header => {
    expect(parseHost(header)).toBeUndefined();
  });

  it.each([
    ['bar.foo.com', '*.foo.com'],
    ['a.b.foo.com', '*.b.foo.com'],
    ['com', undefined],
  ])('the wildcard for %s is %s', (name, expected) => {
    expect(wildcardFor(name)).toBe(expected);
  });

  it.each([
    ['Foo.COM', 'foo.com'],
    ['*.foo.com', '*.foo.com'],
    ['*', undefined],
    ['*.*.com', undefined],
    ['a.*.com', undefined],
    ['foo.com:80', undefined],
    ['10.0.0.1', undefined],
    ['-a.com', undefined],
    ['', undefined],
  ])('a rule for %j is for %s', (host, expected) => {
    expect(parseRuleHost(host)).toBe(expected);
  });
});
