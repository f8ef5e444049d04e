import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';
import { validateObject } from '../schemas.ts';
import { convertEmissary, isEmissaryObject } from './conversion.ts';
import { mappings } from './mapping.ts';
import { tlsContexts } from './tls-context.ts';

const metadata = { name: 'shop', namespace: 'default' };
const ends = { prefix: '/shop/', service: 'shop' };

const converted = (apiVersion: string, spec: object): unknown =>
  convertEmissary({ apiVersion, kind: 'Mapping', metadata, spec })['spec'];

describe('Mappings of v2, read as v3alpha1', () => {
  it.each<[string, object, object]>([
    ['text for a list', { ambassador_id: 'a, b' }, { ambassador_id: ['a', 'b'] }],
    ['true for TLS', { tls: true }, { tls: 'true' }],
    ['false for TLS', { tls: false }, {}],
    ['a name for TLS', { tls: 'context' }, { tls: 'context' }],
    [
      'true for any value',
      { headers: { a: true, b: 'c' }, query_parameters: { q: true } },
      { headers: { b: 'c' }, v2BoolHeaders: ['a'], query_parameters: {}, v2BoolQueryParameters: ['q'] },
    ],
    [
      'headers to add as bare text',
      { add_request_headers: { 'x-a': '1', 'x-b': { value: '2', append: false } } },
      { add_request_headers: { 'x-a': { value: '1' }, 'x-b': { value: '2', append: false } } },
    ],
    [
      'origins in one text',
      { cors: { origins: 'https://a.example,https://b.example', methods: 'GET' } },
      { cors: { origins: ['https://a.example', 'https://b.example'], methods: ['GET'] } },
    ],
  ])('%s', (_name, given, expected) => {
    const spec = converted('getambassador.io/v2', { ...ends, ...given });
    expect(spec).toEqual({ ...ends, ...expected });
    const object = { metadata, spec } as KubeObject;
    expect(validateObject(mappings as Resource<KubeObject>, object).problems).toEqual([]);
  });

  it('leave what nobody understands to the schema', () => {
    const object = {
      metadata,
      spec: converted('getambassador.io/v2', { ...ends, headers: { a: 1 } }),
    } as KubeObject;
    const { problems } = validateObject(mappings as Resource<KubeObject>, object);
    expect(problems.map(problem => problem.message)).toEqual([
      'spec.headers.a 1 must be text: put quotes around it',
    ]);
  });
});

describe('v3alpha1', () => {
  it('has true for TLS too, and stays as it is else', () => {
    expect(converted('getambassador.io/v3alpha1', { ...ends, tls: true })).toEqual({ ...ends, tls: 'true' });
    expect(converted('getambassador.io/v3alpha1', { ...ends, ambassador_id: 'a' })).toEqual({
      ...ends,
      ambassador_id: 'a',
    });
  });

  it.each([
    ['getambassador.io/v2', 'Mapping', true],
    ['getambassador.io/v3alpha1', 'TLSContext', true],
    ['getambassador.io/v3alpha1', 'Host', false],
    ['getambassador.io/v0', 'Mapping', false],
    ['example.com/v2', 'Mapping', false],
  ])('of %s, kind %s: %s', (apiVersion, kind, expected) => {
    expect(isEmissaryObject({ apiVersion, kind })).toBe(expected);
  });
});

describe('the schemas of Mappings and TLSContexts', () => {
  const messages = (resource: Resource<never>, spec: object): string[] =>
    validateObject(resource as Resource<KubeObject>, { metadata, spec } as KubeObject).problems.map(
      problem => problem.message,
    );

  it.each<[object, string]>([
    [{ service: 'a' }, 'spec.prefix is missing: set it to text'],
    [{ prefix: '/' }, 'spec.service is missing: set it to text'],
    [{ ...ends, weight: 101 }, 'spec.weight 101 must be 100 at most'],
    [{ ...ends, precedence: '1' }, 'spec.precedence "1" must be a number'],
    [
      { ...ends, prefix_exact: true, prefix_regex: true },
      'spec.prefix_exact true cannot be true together with prefix_regex: keep one of the two',
    ],
  ])('Mapping %j', (spec, message) => {
    expect(messages(mappings as Resource<never>, spec)).toEqual([message]);
  });

  it.each<[object, string[]]>([
    [{}, []],
    [{ secret: 'a', min_tls_version: 'v1.3', sni: 'b' }, []],
    [{ hosts: ['a.example'] }, ['spec.secret is missing: hosts are served with a certificate']],
    [
      { min_tls_version: 'TLSv1.3' },
      ['spec.min_tls_version "TLSv1.3" must be one of "v1.0", "v1.1", "v1.2", "v1.3"'],
    ],
  ])('TLSContext %j', (spec, expected) => {
    expect(messages(tlsContexts as Resource<never>, spec)).toEqual(expected);
  });
});
