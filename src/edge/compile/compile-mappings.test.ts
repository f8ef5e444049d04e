import { describe, expect, it } from 'vitest';
import type { MappingSpec } from '../../api/getambassador/mapping.ts';
import { plainPolicy } from '../policy/route-policy.ts';
import {
  aMapping,
  backendOf,
  compileEmissary,
  mappedRoute,
  mappedTo,
  messagesOf,
  webService,
} from './mappings.testing.ts';

const find = (specs: readonly Partial<MappingSpec>[], ...request: [string, string[]?, string?]) => {
  const mappings = specs.map((spec, index) => aMapping(spec, `m${index}`));
  return mappedTo(compileEmissary({ mappings }), ...request);
};

describe('edge.md 3: which requests a Mapping is for', () => {
  it.each<[string, Partial<MappingSpec>, string, boolean]>([
    ['a prefix is text', { prefix: '/foo' }, 'a.example/foobar', true],
    ['a prefix is text, with its slash too', { prefix: '/foo/' }, 'a.example/foo', false],
    ['a prefix matches itself', { prefix: '/foo/' }, 'a.example/foo/', true],
    ['upper case differs', { prefix: '/foo' }, 'a.example/FOO', false],
    ['upper case is the same', { prefix: '/Foo', case_sensitive: false }, 'a.example/fOO/x', true],
    ['an exact path', { prefix: '/foo', prefix_exact: true }, 'a.example/foo', true],
    ['an exact path is no prefix', { prefix: '/foo', prefix_exact: true }, 'a.example/foo/', false],
    ['a pattern is for the whole path', { prefix: '/f[o]+', prefix_regex: true }, 'a.example/fooo', true],
    ['a pattern has an end', { prefix: '/f[o]+', prefix_regex: true }, 'a.example/foobar', false],
    [
      'a pattern with alternatives has ends too',
      { prefix: '/a|/b', prefix_regex: true },
      'a.example/ab',
      false,
    ],
    [
      'a pattern, whatever the case',
      { prefix: '/A+', prefix_regex: true, case_sensitive: false },
      'a.example/aa',
      true,
    ],
    ['an encoded prefix in canonical form', { prefix: '/%7efoo' }, 'a.example/~foo/', true],
    ['every host', { hostname: '*' }, 'a.example/', true],
    ['a host', { hostname: 'A.example' }, 'a.example/', true],
    ['another host', { hostname: 'b.example' }, 'a.example/', false],
    ['a star at the beginning', { hostname: '*.example' }, 'b.a.example/', true],
    ['a star stands for something', { hostname: '*.a.example' }, 'a.example/', false],
    ['a star at the end', { hostname: 'a.*' }, 'a.example/', true],
    ['a star at the end of another name', { hostname: 'a.*' }, 'b.example/', false],
    ['an address is of no hostname', { hostname: '10.*' }, '10.0.0.1/', false],
    ['an address is of every host', { hostname: '*' }, '10.0.0.1/', true],
    ['the old field host', { hostname: undefined, host: 'a.example' }, 'a.example/', true],
    [
      'the old field host as a pattern',
      { hostname: undefined, host: '[ab]\\.example', host_regex: true },
      'b.example/',
      true,
    ],
    ['no host at all', { hostname: undefined }, 'a.example/', true],
  ])('%s', (_name, spec, url, expected) => {
    expect(find([spec], url)).toBe(expected ? 'm0' : undefined);
  });

  it.each<[string, Partial<MappingSpec>, readonly string[], string, boolean]>([
    ['a method', { method: 'PUT' }, [], 'PUT', true],
    ['another method', { method: 'PUT' }, [], 'GET', false],
    ['a pattern of methods', { method: 'PUT|POST', method_regex: true }, [], 'POST', true],
    ['a header', { headers: { 'X-A': '1' } }, ['x-a', '1'], 'GET', true],
    ['a header of another value', { headers: { 'x-a': '1' } }, ['x-a', '12'], 'GET', false],
    ['a header that is not there', { headers: { 'x-a': '' } }, [], 'GET', false],
    [
      'a header twice, which is one of two values',
      { headers: { 'x-a': '1' } },
      ['x-a', '1', 'X-A', '2'],
      'GET',
      false,
    ],
    ['a header by pattern', { regex_headers: { 'x-a': '[0-9]+' } }, ['X-A', '12'], 'GET', true],
    [
      'a header by pattern, from end to end',
      { regex_headers: { 'x-a': '[0-9]' } },
      ['x-a', '12'],
      'GET',
      false,
    ],
    ['a header of any value', { v2BoolHeaders: ['x-a'] }, ['x-a', 'y'], 'GET', true],
    ['a parameter', { query_parameters: { a: '1' } }, [], 'GET', true],
    ['a parameter that comes second', { query_parameters: { b: '2' } }, [], 'GET', true],
    ['a parameter of another value', { query_parameters: { a: '2' } }, [], 'GET', false],
    ['a parameter by pattern', { regex_query_parameters: { a: '\\d' } }, [], 'GET', true],
    ['a parameter of any value', { v2BoolQueryParameters: ['c'] }, [], 'GET', true],
    ['a parameter that is not there', { v2BoolQueryParameters: ['d'] }, [], 'GET', false],
  ])('%s', (_name, spec, fields, method, expected) => {
    expect(find([spec], 'a.example/?a=1&b=2&c', [...fields], method)).toBe(expected ? 'm0' : undefined);
  });
});

describe('edge.md 3: order', () => {
  it.each<[string, Partial<MappingSpec>[], string]>([
    ['the longer prefix', [{ prefix: '/' }, { prefix: '/foo' }], 'm1'],
    ['precedence before length', [{ prefix: '/', precedence: 1 }, { prefix: '/foo' }], 'm0'],
    [
      'a longer prefix of every host before a shorter one of the host',
      [{ prefix: '/foo' }, { hostname: 'a.example' }],
      'm0',
    ],
    ['the host before every host', [{ prefix: '/foo' }, { prefix: '/foo', hostname: 'a.example' }], 'm1'],
    [
      'the name before a star',
      [
        { prefix: '/foo', hostname: '*.example' },
        { prefix: '/foo', hostname: 'a.example' },
      ],
      'm1',
    ],
    ['headers', [{ prefix: '/foo' }, { prefix: '/foo', headers: { 'x-a': '1' } }], 'm1'],
    [
      'longer headers',
      [
        { prefix: '/foo', v2BoolHeaders: ['x-a'] },
        { prefix: '/foo', v2BoolHeaders: ['x-a', 'x-b'] },
      ],
      'm1',
    ],
    ['query parameters', [{ prefix: '/foo' }, { prefix: '/foo', query_parameters: { q: '1' } }], 'm1'],
    [
      'headers before query parameters',
      [
        { prefix: '/foo', query_parameters: { q: '1' } },
        { prefix: '/foo', headers: { 'x-a': '1' } },
      ],
      'm1',
    ],
    ['a method', [{ prefix: '/foo' }, { prefix: '/foo', method: 'GET' }], 'm1'],
    [
      'a longer pattern before a shorter prefix',
      [{ prefix: '/foo' }, { prefix: '/fo+.*', prefix_regex: true }],
      'm1',
    ],
    [
      'a longer prefix before a shorter pattern',
      [{ prefix: '/foo/bar' }, { prefix: '/.*', prefix_regex: true }],
      'm0',
    ],
    [
      'the prefix text, where all else is equal',
      [{ prefix: '/f.*', prefix_regex: true }, { prefix: '/foo' }],
      'm1',
    ],
    ['what misses falls to the next', [{ prefix: '/foo', method: 'PUT' }, { prefix: '/' }], 'm1'],
  ])('%s', (_name, specs, expected) => {
    expect(find(specs, 'a.example/foo/bar?q=1', ['x-a', '1', 'x-b', '2'])).toBe(expected);
  });
});

describe('edge.md 3: weights', () => {
  const group = (weights: readonly (number | undefined)[]) =>
    compileEmissary({
      mappings: weights.map((weight, index) =>
        aMapping({ prefix: '/w', ...(weight === undefined ? {} : { weight }) }, `w${index}`),
      ),
    });

  /** What each member gets of all requests, in percent. */
  const sharesIn = (weights: readonly (number | undefined)[]): Record<string, number> => {
    const route = mappedRoute(group(weights), 'a.example/w');
    const shares: Record<string, number> = {};
    for (const { source, when } of route?.alternatives ?? [])
      shares[source.name] = (100 * when.weight) / when.total;
    const own = 100 - Object.values(shares).reduce((sum, share) => sum + share, 0);
    return { [route?.source.name ?? '']: own, ...shares };
  };

  it.each<[string, (number | undefined)[], number[]]>([
    ['one alone has everything', [10], [100]],
    ['the others share the rest', [20, undefined, undefined], [20, 40, 40]],
    ['all without a weight', [undefined, undefined], [50, 50]],
    ['a hundred leaves nothing', [undefined, 100], [0, 100]],
    ['less than a hundred is everything all the same', [20, 20], [50, 50]],
    ['three', [10, 30, 60], [10, 30, 60]],
  ])('%s', (_name, weights, expected) => {
    expect(sharesIn(weights)).toEqual(
      Object.fromEntries(expected.map((share, index) => [`w${index}`, share])),
    );
  });

  it('over a hundred is an error: none of them is served', () => {
    const result = group([60, 60]);
    const route = mappedRoute(result, 'a.example/w');
    expect(backendOf(result, route)).toMatchObject({ backend: { kind: 'unavailable' } });
    expect(route?.policy.refusal).toContain('are 120 together: make them 100 or less');
    expect(messagesOf(result)).toHaveLength(2);
  });

  it('are of one group where method, prefix, headers, query and precedence are equal', () => {
    const mappings = [
      aMapping({ prefix: '/w', weight: 60 }),
      aMapping({ prefix: '/w', weight: 60, method: 'GET' }),
      aMapping({ prefix: '/w', weight: 60, precedence: 1 }),
      aMapping({ prefix: '/w', weight: 60, headers: { a: 'b' } }),
      aMapping({ prefix: '/w', weight: 60, query_parameters: { a: 'b' } }),
    ];
    expect(messagesOf(compileEmissary({ mappings }))).toEqual([]);
  });
});

describe('edge.md 3: service', () => {
  const services = [webService(), webService('web', 'other'), webService('lone')];
  const specOf = (spec: Partial<MappingSpec>) => {
    const result = compileEmissary({ mappings: [aMapping(spec, 'm')], services });
    return { backend: backendOf(result, mappedRoute(result, 'a.example/')), messages: messagesOf(result) };
  };

  it.each<[string, object]>([
    ['web', { key: 'default/web:80', protocol: 'http1', tls: undefined }],
    ['WEB', { key: 'default/web:80' }],
    ['web.other', { key: 'other/web:80' }],
    ['web.other.svc', { key: 'other/web:80' }],
    ['web.other.svc.cluster.local', { key: 'other/web:80' }],
    ['http://web:80', { key: 'default/web:80' }],
    [
      'https://web',
      {
        tls: { verify: true, verifiedName: 'web.default.svc', serverName: 'web.default.svc', ca: undefined },
      },
    ],
    ['https://web.other:443', { tls: { verifiedName: 'web.other.svc' } }],
    [
      'https://api.partner.example',
      {
        backend: {
          kind: 'external',
          host: 'api.partner.example',
          port: 443,
          tls: { verifiedName: 'api.partner.example' },
        },
      },
    ],
    ['partner.example.:8080', { backend: { kind: 'external', host: 'partner.example', port: 8080 } }],
    ['192.0.2.1', { backend: { kind: 'external', host: '192.0.2.1', port: 80 } }],
  ])('%s', (service, expected) => {
    const { backend, messages } = specOf({ service });
    expect(backend).toMatchObject(expected);
    expect(messages).toEqual([]);
  });

  it.each(['ftp://web', 'web:99999', 'web/path', 'user@web', ''])('%s is refused', service => {
    const { backend, messages } = specOf({ service });
    expect(backend).toMatchObject({ backend: { kind: 'unavailable' } });
    expect(messages.join()).toMatch(/^m InvalidMapping: spec\.service .*Until then it answers 503$/);
  });

  it.each([
    ['gone', 'm ServiceNotFound: Service "default/gone" of spec.service does not exist'],
    ['web:81', 'm ServicePortNotFound: Service "default/web" has no port "81"'],
    [
      '127.0.0.1',
      'm EndpointRefused: spec.service names the host "127.0.0.1", which is not served: loopback',
    ],
  ])('%s leads nowhere', (service, message) => {
    const { backend, messages } = specOf({ service });
    expect(backend).toMatchObject({ kind: 'fixed', backend: { kind: 'unavailable' } });
    expect(messages).toEqual([expect.stringContaining(message)]);
  });

  it('with tls: true speaks TLS, verified', () => {
    expect(specOf({ tls: 'true' }).backend).toMatchObject({ tls: { verify: true }, port: { name: 'https' } });
  });

  it('with grpc speaks HTTP/2', () => {
    expect(specOf({ grpc: true }).backend).toMatchObject({ key: 'default/web:80 h2', protocol: 'http2' });
  });
});

describe('edge.md 3: what a Mapping asks for', () => {
  const policyOf = (spec: Partial<MappingSpec>) =>
    mappedRoute(compileEmissary({ mappings: [aMapping({ prefix: '/p', ...spec })] }), 'a.example/p')?.policy;

  it('is little by default: rewrite to /, three seconds, no upgrades', () => {
    expect(policyOf({})).toEqual({
      ...plainPolicy,
      limits: { ...plainPolicy.limits, bodyBytes: 0 },
      rewrite: { kind: 'prefix', prefix: '/p', replacement: '/' },
      timeouts: { connectMs: 3_000, readMs: 300_000, sendMs: 300_000, wholeMs: 3_000 },
      allowUpgrade: false,
    });
  });

  it.each<[string, Partial<MappingSpec>, object]>([
    ['rewrite ""', { rewrite: '' }, { rewrite: undefined }],
    ['rewrite to itself', { rewrite: '/p' }, { rewrite: undefined }],
    ['rewrite', { rewrite: '/v1/' }, { rewrite: { kind: 'prefix', prefix: '/p', replacement: '/v1/' } }],
    ['patterns are not rewritten', { prefix: '/p.*', prefix_regex: true }, { rewrite: undefined }],
    [
      'regex_rewrite before rewrite',
      { rewrite: '/v1', regex_rewrite: { pattern: '/p/(.*)', substitution: '/\\1' } },
      { rewrite: { kind: 'regex', pattern: '/p/(.*)', substitution: '/\\1' } },
    ],
    ['host_rewrite', { host_rewrite: 'b.example' }, { upstreamHost: 'b.example' }],
    [
      'auto_host_rewrite',
      { auto_host_rewrite: true, service: 'http://web.default:80' },
      { upstreamHost: 'web.default' },
    ],
    ['timeout_ms 0', { timeout_ms: 0 }, { timeouts: { wholeMs: undefined } }],
    [
      'times',
      { timeout_ms: 10_000, connect_timeout_ms: 500, idle_timeout_ms: 7_000 },
      { timeouts: { connectMs: 500, readMs: 7_000, sendMs: 7_000, wholeMs: 10_000 } },
    ],
    [
      'headers',
      {
        add_request_headers: { 'x-a': { value: '1' }, 'x-b': { value: '100%%', append: false } },
        remove_request_headers: ['X-C', 'Host'],
      },
      { requestHeaders: { add: [['x-a', '1']], set: [['x-b', '100%']], remove: ['x-c'] } },
    ],
    [
      'headers of the answer',
      { add_response_headers: { 'x-a': { value: '1' } }, remove_response_headers: ['Server'] },
      { responseHeaders: { add: [['x-a', '1']], set: [], remove: ['server'] } },
    ],
    [
      'host_redirect',
      { host_redirect: true, service: 'b.example' },
      { redirect: { to: { status: 301, location: '//b.example', keepPath: true } } },
    ],
    [
      'host_redirect with scheme, path and status',
      {
        host_redirect: true,
        service: 'https://b.example:8443',
        path_redirect: '/$x',
        redirect_response_code: 307,
      },
      { redirect: { to: { status: 307, location: 'https://b.example:8443/%24x', keepPath: false } } },
    ],
    [
      'cors',
      {
        cors: {
          origins: ['https://a.example'],
          methods: ['GET', 'PUT'],
          headers: ['x-a'],
          credentials: true,
          max_age: '60',
        },
      },
      {
        cors: {
          origins: ['https://a.example'],
          methods: 'GET, PUT',
          headers: 'x-a',
          exposeHeaders: undefined,
          credentials: true,
          maxAgeSeconds: 60,
        },
      },
    ],
    [
      'retry_policy',
      { retry_policy: { retry_on: '5xx', num_retries: 2, per_try_timeout: '1.5s' } },
      { retry: { tries: 3, nonIdempotent: false }, timeouts: { readMs: 1_500 } },
    ],
    [
      'least_request',
      { load_balancer: { policy: 'least_request' } },
      { balance: { kind: 'least-connections' } },
    ],
    [
      'by header',
      { load_balancer: { policy: 'maglev', header: 'X-User' } },
      { balance: { kind: 'hash', by: '$http_x_user' } },
    ],
    [
      'by address',
      { load_balancer: { policy: 'ring_hash', source_ip: true } },
      { balance: { kind: 'hash', by: '$remote_addr' } },
    ],
    [
      'by cookie',
      { load_balancer: { policy: 'ring_hash', cookie: { name: 'sticky', ttl: '2m' } } },
      { affinity: { cookie: 'sticky', path: '/', maxAgeSeconds: 120 } },
    ],
    ['allow_upgrade', { allow_upgrade: ['WebSocket'] }, { allowUpgrade: true }],
    ['use_websocket', { use_websocket: true }, { allowUpgrade: true }],
  ])('%s', (_name, spec, expected) => {
    expect(policyOf(spec)).toMatchObject(expected);
  });

  it.each<[Partial<MappingSpec>, string]>([
    [{ shadow: true }, 'spec.shadow is true'],
    [{ envoy_override: { a: 1 } }, 'spec.envoy_override is set'],
    [{ rewrite: '/../b' }, 'spec.rewrite is "/../b"'],
    [{ rewrite: 'a' }, 'spec.rewrite is "a"'],
    [{ regex_rewrite: { pattern: '(' } }, 'spec.regex_rewrite.pattern is "("'],
    [{ host_rewrite: 'a b' }, 'spec.host_rewrite is "a b"'],
    [{ host_redirect: true, regex_redirect: { pattern: 'a' } }, 'spec.regex_redirect is not supported'],
    [{ host_redirect: true, redirect_response_code: 200 }, 'spec.redirect_response_code is 200'],
    [
      { add_request_headers: { 'Content-Length': { value: '1' } } },
      'spec.add_request_headers["Content-Length"]',
    ],
    [
      { add_request_headers: { 'x-a': { value: 'a\r\nb: c' } } },
      'spec.add_request_headers["x-a"] has a value with',
    ],
    [{ cors: { origins: ['nonsense'] } }, 'spec.cors.origins has "nonsense"'],
    [{ load_balancer: { policy: 'maglev' } }, 'spec.load_balancer.policy is "maglev"'],
  ])('%j is refused: 503, not something else', (spec, message) => {
    const result = compileEmissary({
      mappings: [aMapping({ prefix: '/p', ...spec }), aMapping({ prefix: '/' })],
    });
    const route = mappedRoute(result, 'a.example/p');
    expect(route?.policy.refusal).toContain(message);
    expect(backendOf(result, route)).toMatchObject({ backend: { kind: 'unavailable' } });
    expect(messagesOf(result)).toEqual([expect.stringContaining('Until then it answers 503')]);
  });

  it.each<[Partial<MappingSpec>, string]>([
    [{ labels: { ambassador: [] } }, 'spec.labels is passed over'],
    [{ allow_upgrade: ['spdy/3.1'] }, 'spec.allow_upgrade is passed over: "spdy/3.1" cannot be changed to'],
    [{ circuit_breakers: [{}] }, 'spec.circuit_breakers is passed over'],
    [{ retry_policy: { retry_on: 'retriable-4xx' } }, 'spec.retry_policy is passed over'],
    [
      { add_request_headers: { 'x-a': { value: '%CLIENT_IP%' } } },
      'spec.add_request_headers["x-a"] is passed over',
    ],
  ])('%j is left out, visibly', (spec, message) => {
    const result = compileEmissary({ mappings: [aMapping(spec)] });
    expect(mappedRoute(result, 'a.example/')?.policy.refusal).toBeUndefined();
    expect(messagesOf(result)).toEqual([expect.stringContaining(message)]);
  });
});

describe('Mappings that are not understood', () => {
  it.each<[Partial<MappingSpec>, string]>([
    [{ hostname: 'a*b.example' }, 'InvalidHost: spec.hostname is "a*b.example"'],
    [{ hostname: undefined, host: '(', host_regex: true }, 'InvalidHost: spec.host is "("'],
    [{ prefix: 'foo' }, 'InvalidPath: spec.prefix is "foo"'],
    [{ prefix: '/../b' }, 'InvalidPath: spec.prefix is "/../b"'],
    [{ prefix: '/(', prefix_regex: true }, 'InvalidPath: spec.prefix is "/("'],
    [{ prefix: '/a)|(/b', prefix_regex: true }, 'InvalidPath: spec.prefix is "/a)|(/b"'],
    [{ regex_headers: { 'x-a': '(' } }, 'InvalidMapping: spec.regex_headers["x-a"] is "("'],
  ])('%j takes no requests', (spec, message) => {
    const result = compileEmissary({ mappings: [aMapping(spec, 'm')] });
    expect(result.mappings.size).toBe(0);
    expect(messagesOf(result)).toEqual([expect.stringMatching(/It is not served$/)]);
    expect(messagesOf(result)[0]).toContain(message);
  });

  it('keep their requests where their match is understood', () => {
    const wrong = aMapping({ prefix: '/p', weight: 'much' as unknown as number }, 'm');
    const result = compileEmissary({ mappings: [wrong, aMapping({ prefix: '/' })] });
    expect(mappedRoute(result, 'a.example/p')?.policy.refusal).toContain('spec.weight');
    expect(messagesOf(result)).toEqual([
      'm InvalidMapping: spec.weight "much" must be a number. Until then it answers 503',
    ]);
  });

  it('without a spec are told of, and stop no other', () => {
    const nothing = { ...aMapping({}, 'm'), spec: undefined as unknown as MappingSpec };
    const result = compileEmissary({ mappings: [nothing, aMapping({}, 'n')] });
    expect(mappedTo(result, 'a.example/')).toBe('n');
    expect(messagesOf(result)).toEqual([expect.stringContaining('m InvalidMapping: spec')]);
  });
});

describe('whose Mappings are served', () => {
  it.each<[string[] | undefined, string, boolean]>([
    [undefined, 'default', true],
    [[], 'default', true],
    [['default', 'b'], 'default', true],
    [['b'], 'default', false],
    [['b'], 'b', true],
    [undefined, 'b', false],
  ])('ambassador_id %j, served as %s: %s', (ambassador_id, ambassadorId, expected) => {
    const mappings = [aMapping(ambassador_id === undefined ? {} : { ambassador_id }, 'm')];
    const result = compileEmissary({ mappings }, { ambassadorId });
    expect(mappedTo(result, 'a.example/')).toBe(expected ? 'm' : undefined);
  });

  it('what an AuthService guards is not served without it', () => {
    const metadata = { name: 'auth', namespace: 'emissary' };
    const mappings = [
      aMapping({ prefix: '/a' }, 'guarded'),
      aMapping({ prefix: '/b', bypass_auth: true }, 'open'),
    ];
    const result = compileEmissary({ mappings, guards: [{ kind: 'AuthService', metadata, spec: {} }] });
    expect(mappedRoute(result, 'a.example/a')?.policy.refusal).toContain(
      'the AuthService "emissary/auth" guards',
    );
    expect(mappedRoute(result, 'a.example/b')?.policy.refusal).toBeUndefined();
    const policy = { kind: 'FilterPolicy', metadata, spec: {} };
    const filtered = compileEmissary({ mappings, guards: [policy] });
    expect(mappedRoute(filtered, 'a.example/a')?.policy.refusal).toContain(
      'the FilterPolicy "emissary/auth" guards',
    );
    const elsewhere = { metadata, spec: { ambassador_id: ['b'] } };
    const other = compileEmissary({ mappings, guards: [elsewhere] });
    expect(mappedRoute(other, 'a.example/a')?.policy.refusal).toBeUndefined();
  });
});
