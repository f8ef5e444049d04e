import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../compile/table.ts';
import { affinityCookie, backendMark, cookieAfterFailure, pinFor } from './affinity.ts';
import { aHead, type HeadOptions } from './heads.testing.ts';
import type { Affinity } from './route-policy.ts';

const affinity: Affinity = {
  cookie: 'route',
  path: '',
  domain: undefined,
  sameSite: undefined,
  conditionalSameSiteNone: false,
  secure: undefined,
  maxAgeSeconds: undefined,
  expiresSeconds: undefined,
  partitioned: false,
  changeOnFailure: false,
  canarySticky: true,
  mode: 'balanced',
};

function endpointsOf(count: number): Endpoint[] {
  return Array.from({ length: count }, (_, at) => ({ address: `10.1.0.${at + 1}`, port: 8080 }));
}

function pinned(
  parts: Partial<Affinity>,
  endpoints: readonly Endpoint[],
  cookie?: string,
  options: HeadOptions = {},
) {
  const fields = [...(options.fields ?? []), ...(cookie === undefined ? [] : ['Cookie', cookie])];
  return pinFor(
    { ...affinity, ...parts },
    aHead({ ...options, fields }),
    endpoints,
    'default/web:80',
    '/app',
  );
}

function pairOf(setCookie: string | undefined): string {
  return setCookie?.split(';')[0] ?? '';
}

describe.each(['balanced', 'persistent'] as const)('%s affinity', mode => {
  const endpoints = endpointsOf(10);

  it('gives a new client an endpoint and a cookie, and the client stays there', () => {
    const first = pinned({ mode }, endpoints);
    expect(endpoints).toContain(first?.endpoint);
    const again = pinned({ mode }, endpoints, pairOf(first?.setCookie));
    expect(again).toEqual({ endpoint: first?.endpoint, setCookie: undefined });
  });

  it('spreads new clients over all endpoints', () => {
    const reached = new Set(Array.from({ length: 300 }, () => pinned({ mode }, endpoints)?.endpoint.address));
    expect(reached.size).toBe(10);
  });

  it('a cookie of another backend, and one that is none of ours, count as none', () => {
    for (const cookie of ['route=x', `route=0123456789abcdef.${backendMark('default/other:80')}`])
      expect(pinned({ mode }, endpoints, cookie)?.setCookie).toBeDefined();
  });

  it('tells no address', () => {
    expect(pinned({ mode }, endpoints)?.setCookie).not.toContain('10.1');
  });

  it('an endpoint that is gone is another one from then on', () => {
    const first = pinned({ mode }, endpoints);
    const left = endpoints.filter(endpoint => endpoint !== first?.endpoint);
    const next = pinned({ mode }, left, pairOf(first?.setCookie));
    expect(left).toContain(next?.endpoint);
  });

  it('stays where another endpoint answered, where it is told to', () => {
    const answered = endpoints[3];
    if (answered === undefined) throw new Error('no endpoint');
    const changed = { ...affinity, mode, changeOnFailure: true };
    const cookie = cookieAfterFailure(changed, aHead(), endpoints, answered, 'default/web:80', '/app');
    expect(pinned({ mode }, endpoints, pairOf(cookie))?.endpoint).toBe(answered);
    const unchanged = { ...changed, changeOnFailure: false };
    expect(
      cookieAfterFailure(unchanged, aHead(), endpoints, answered, 'default/web:80', '/app'),
    ).toBeUndefined();
  });
});

describe('affinity when endpoints come', () => {
  it('persistent moves nobody, balanced a share', () => {
    const before = endpointsOf(10);
    const after = endpointsOf(11);
    const moved = (mode: Affinity['mode']): number =>
      Array.from({ length: 300 }, () => pinned({ mode }, before)).filter(
        pin => pinned({ mode }, after, pairOf(pin?.setCookie))?.endpoint.address !== pin?.endpoint.address,
      ).length;
    expect(moved('persistent')).toBe(0);
    expect(moved('balanced')).toBeGreaterThan(0);
    expect(moved('balanced')).toBeLessThan(80);
  });
});

describe('the cookie of affinity', () => {
  const attributes = (parts: Partial<Affinity>, options: HeadOptions = {}): string =>
    pinned(parts, endpointsOf(1), undefined, options)?.setCookie?.replace(/^[^;]*; /, '') ?? '';

  it.each<[parts: Partial<Affinity>, options: HeadOptions, expected: string]>([
    [{}, {}, 'Path=/app; Secure; HttpOnly'],
    [{}, { secure: false }, 'Path=/app; HttpOnly'],
    [{ secure: true }, { secure: false }, 'Path=/app; Secure; HttpOnly'],
    [
      { path: '/', domain: 'foo.com', maxAgeSeconds: 60 },
      {},
      'Path=/; Domain=foo.com; Max-Age=60; Secure; HttpOnly',
    ],
    [{ sameSite: 'None', partitioned: true }, {}, 'Path=/app; Secure; HttpOnly; SameSite=None; Partitioned'],
    [
      { sameSite: 'None', conditionalSameSiteNone: true },
      { fields: ['User-Agent', 'Mozilla/5.0 AppleWebKit/537.36 Chrome/60.0.1 Safari/537.36'] },
      'Path=/app; Secure; HttpOnly',
    ],
    [
      { sameSite: 'None', conditionalSameSiteNone: true },
      { fields: ['User-Agent', 'Mozilla/5.0 AppleWebKit/537.36 Chrome/120.0.1 Safari/537.36'] },
      'Path=/app; Secure; HttpOnly; SameSite=None',
    ],
  ])('%j %j', (parts, options, expected) => {
    expect(attributes(parts, options)).toBe(expected);
  });

  it('may have a date of expiry', () => {
    expect(attributes({ expiresSeconds: -1 })).toMatch(/; Expires=\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT; /);
  });

  it.each([
    ['/app/v1.0', '/app/v1.0'],
    ['/app(/|$)(.*)', '/'],
    ['/a;Domain=evil.com', '/'],
    ['', '/'],
  ])('of a rule for %s is for %s', (routePath, path) => {
    const pin = pinFor(affinity, aHead(), endpointsOf(1), 'default/web:80', routePath);
    expect(pin?.setCookie).toContain(`; Path=${path};`);
  });

  it('is read back', () => {
    const value = `0123456789abcdef.${backendMark('x')}`;
    expect(affinityCookie(affinity, aHead({ fields: ['Cookie', `route="${value}"`] }))).toEqual({
      key: '0123456789abcdef',
      backend: backendMark('x'),
    });
  });
});
