import { describe, expect, it } from 'vitest';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { convertIngress } from '../../api/kubernetes/ingress-conversion.ts';
import { findRoute } from '../match/find-route.ts';
import { parseHost } from '../match/host.ts';
import { aService, aSlice, compileObjects } from './builders.testing.ts';
import type { Compilation } from './compile.ts';
import type { Backend, Route } from './table.ts';

/** A path of a rule, as CCE's documents write it for one of the API's generations. */
type PathWriter = (path: string, property?: Record<string, string>) => Record<string, unknown>;

const newPath: PathWriter = (path, property) => ({
  path,
  pathType: 'ImplementationSpecific',
  backend: { service: { name: 'web', port: { number: 80 } } },
  ...(property && { property }),
});
const oldPath: PathWriter = (path, property) => ({
  path,
  backend: { serviceName: 'web', servicePort: 80 },
  ...(property && { property }),
});

const matchMode = (value: string): Record<string, string> => ({
  'ingress.beta.kubernetes.io/url-match-mode': value,
});

/** The class is named by the annotation, as CCE's console does, in whatever generation. */
function ingressOf(
  apiVersion: string,
  paths: readonly Record<string, unknown>[],
  annotations: Record<string, string> = {},
): Ingress {
  const written = {
    apiVersion,
    kind: 'Ingress',
    metadata: {
      name: 'site',
      namespace: 'default',
      annotations: { 'kubernetes.io/ingress.class': 'nginx', ...annotations },
    },
    spec: { rules: [{ host: 'foo.com', http: { paths } }] },
  };
  if (apiVersion === 'networking.k8s.io/v1') return written as unknown as Ingress;
  const { ingress } = convertIngress(written);
  if (ingress === undefined) throw new Error('the Ingress was not converted');
  return ingress;
}

function compiled(ingress: Ingress): Compilation {
  return compileObjects(
    { ingresses: [ingress], services: [aService()], endpointSlices: [aSlice()] },
    { ingressClasses: ['nginx'] },
  );
}

function routeFor({ table }: Compilation, path: string): Route | undefined {
  const host = parseHost('foo.com');
  return host && findRoute(table, host, path);
}

function backendFor(compilation: Compilation, path: string): Backend | undefined {
  return compilation.table.backends.get(routeFor(compilation, path)?.backend ?? '');
}

describe.each([
  ['networking.k8s.io/v1', newPath],
  ['networking.k8s.io/v1beta1', oldPath],
  ['extensions/v1beta1', oldPath],
] as const)("CCE's settings in Ingresses of %s", (apiVersion, path) => {
  it.each([
    [undefined, { '/foo': 'Prefix', '/foo/bar': 'Prefix', '/foobar': undefined }],
    ['STARTS_WITH', { '/foo': 'Prefix', '/foo/bar': 'Prefix', '/foobar': undefined }],
    ['EQUAL_TO', { '/foo': 'Exact', '/foo/bar': undefined, '/foobar': undefined }],
    ['REGEX', { '/foo': 'Regex', '/foo/bar': 'Regex', '/foobar': 'Regex' }],
  ])('property url-match-mode %s', (value, expected) => {
    const property = value === undefined ? undefined : matchMode(value);
    const compilation = compiled(ingressOf(apiVersion, [path('/foo', property)]));
    const found = Object.keys(expected).map(request => [request, routeFor(compilation, request)?.kind]);
    expect(Object.fromEntries(found)).toEqual(expected);
    expect(compilation.findings).toEqual([]);
  });

  it('the annotation stands for the property where an API server has dropped it', () => {
    const annotation = JSON.stringify([{ host: 'foo.com', path: '/foo', matchmode: 'EQUAL_TO' }]);
    const ingress = ingressOf(apiVersion, [path('/foo')], { 'kubernetes.io/ingress.property': annotation });
    expect(routeFor(compiled(ingress), '/foo')?.kind).toBe('Exact');
  });

  it("the property goes before the annotation, and another path's mode is none of this one", () => {
    const annotation = JSON.stringify([{ path: '/foo', matchmode: 'EQUAL_TO' }]);
    const paths = [path('/foo', matchMode('REGEX')), path('/bar')];
    const compilation = compiled(
      ingressOf(apiVersion, paths, { 'kubernetes.io/ingress.property': annotation }),
    );
    expect([routeFor(compilation, '/foo')?.kind, routeFor(compilation, '/bar')?.kind]).toEqual([
      'Regex',
      'Prefix',
    ]);
  });

  it.each([
    ['HTTP', 'http1', undefined],
    ['HTTPS', 'http1', true],
    ['GRPC', 'http2', undefined],
    ['GRPCS', 'http2', true],
  ])('backend-protocol %s: %s, TLS verified %s', (value, protocol, verify) => {
    const annotations = { 'nginx.ingress.kubernetes.io/backend-protocol': value };
    const backend = backendFor(compiled(ingressOf(apiVersion, [path('/foo')], annotations)), '/foo');
    expect(backend).toMatchObject({ kind: 'endpoints', protocol });
    expect(backend?.kind === 'endpoints' ? backend.tls?.verify : 'none').toBe(verify);
  });
});
