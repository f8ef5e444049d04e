import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { validateObject } from '../schemas.ts';
import { ingresses } from './ingress.ts';
import { convertIngress, isOldIngress, oldIngressVersions } from './ingress-conversion.ts';

/** The example of cert-manager's ingress-shim document. */
const shimExample = `
apiVersion: extensions/v1beta1
kind: Ingress
metadata:
  annotations:
    cert-manager.io/cluster-issuer: nameOfClusterIssuer
  name: myingress
  namespace: myingress
spec:
  rules:
  - host: myingress.com
    http:
      paths:
      - backend:
          serviceName: myservice
          servicePort: 80
        path: /
  tls:
  - hosts:
    - myingress.com
    secretName: myingress-cert
`;

const problemsOf = (spec: object): string[] =>
  (
    convertIngress({ apiVersion: 'networking.k8s.io/v1beta1', kind: 'Ingress', metadata: {}, spec })
      .problems ?? []
  ).map(problem => problem.message);

const withBackend = (backend: object) => ({ rules: [{ http: { paths: [{ path: '/', backend }] } }] });
const at = 'spec.rules[0].http.paths[0].backend';

describe('an old Ingress', () => {
  it('is one by kind and apiVersion', () => {
    expect(oldIngressVersions.map(apiVersion => isOldIngress({ apiVersion, kind: 'Ingress' }))).toEqual([
      true,
      true,
    ]);
    expect(isOldIngress({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' })).toBe(false);
    expect(isOldIngress({ apiVersion: 'networking.k8s.io/v1beta1', kind: 'IngressClass' })).toBe(false);
  });

  it('becomes one of v1', () => {
    expect(convertIngress(parse(shimExample)).ingress).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        annotations: { 'cert-manager.io/cluster-issuer': 'nameOfClusterIssuer' },
        name: 'myingress',
        namespace: 'myingress',
      },
      spec: {
        rules: [
          {
            host: 'myingress.com',
            http: {
              paths: [
                {
                  path: '/',
                  pathType: 'ImplementationSpecific',
                  backend: { service: { name: 'myservice', port: { number: 80 } } },
                },
              ],
            },
          },
        ],
        tls: [{ hosts: ['myingress.com'], secretName: 'myingress-cert' }],
      },
    });
  });

  it('keeps what has not changed: pathType, class, resource, property, status', () => {
    const property = { 'ingress.beta.kubernetes.io/url-match-mode': 'EQUAL_TO' };
    const resource = { apiGroup: 'a.example', kind: 'Bucket', name: 'b' };
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    const { ingress } = convertIngress({
      apiVersion: 'networking.k8s.io/v1beta1',
      kind: 'Ingress',
      metadata: { name: 'a' },
      spec: {
        ingressClassName: 'nginx',
        backend: { serviceName: 'web', servicePort: 'http' },
        rules: [{ http: { paths: [{ path: '/a', pathType: 'Exact', backend: { resource }, property }] } }],
      },
      status,
    });
    expect(ingress?.spec).toEqual({
      ingressClassName: 'nginx',
      defaultBackend: { service: { name: 'web', port: { name: 'http' } } },
      rules: [{ http: { paths: [{ path: '/a', pathType: 'Exact', backend: { resource }, property }] } }],
    });
    expect(ingress?.status).toEqual(status);
  });

  it.each<[object, string]>([
    [withBackend({ servicePort: 80 }), `${at}.serviceName is missing: set it to the name of a Service`],
    [
      withBackend({ serviceName: 'a' }),
      `${at}.servicePort is missing: set it to the number or the name of a port`,
    ],
    [
      withBackend({ serviceName: 'a', servicePort: '80' }),
      `${at}.servicePort "80" must be without quotes, as a number`,
    ],
    [
      withBackend({ serviceName: 'a', servicePort: true }),
      `${at}.servicePort true must be the number or the name of a port`,
    ],
    [
      withBackend({ serviceName: 1, servicePort: 80 }),
      `${at}.serviceName 1 must be text: put quotes around it`,
    ],
    [
      withBackend({ service: { name: 'a' } }),
      `${at}.service is a field of networking.k8s.io/v1: use serviceName and servicePort, or set apiVersion to networking.k8s.io/v1`,
    ],
    [
      withBackend({ serviceName: 'a', resource: { kind: 'B', name: 'c' } }),
      `${at} must name where requests go: set either serviceName or resource`,
    ],
    [
      { defaultBackend: {} },
      'spec.defaultBackend is a field of networking.k8s.io/v1: use backend, or set apiVersion to networking.k8s.io/v1',
    ],
    [{ rules: [{ http: { paths: [{ path: '/' }] } }] }, `${at} is missing: set it to a map of fields`],
    [{ rules: {} }, 'spec.rules must be a list'],
  ])('%j is refused with the field by its name', (spec, message) => {
    expect(problemsOf(spec)).toEqual([message]);
  });

  it('gives a valid v1 Ingress for every valid old one, with the same hosts, paths and Services', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/);
    const backend = fc.record({
      serviceName: label,
      servicePort: fc.oneof(fc.integer({ min: 1, max: 65_535 }), label),
    });
    const path = fc.record(
      { path: label.map(text => `/${text}`), pathType: fc.constantFrom('Exact', 'Prefix'), backend },
      { requiredKeys: ['path', 'backend'] },
    );
    const rule = fc.record(
      {
        host: label.map(text => `${text}.example`),
        http: fc.record({ paths: fc.array(path, { minLength: 1 }) }),
      },
      { requiredKeys: ['http'] },
    );
    const old = fc.record({
      apiVersion: fc.constantFrom(...oldIngressVersions),
      kind: fc.constant('Ingress'),
      metadata: fc.record({ name: label, namespace: label }),
      spec: fc.record({ backend, rules: fc.array(rule) }, { requiredKeys: ['backend'] }),
    });
    fc.assert(
      fc.property(old, given => {
        const { ingress } = convertIngress(given);
        expect(ingress).toBeDefined();
        if (ingress === undefined) return;
        expect(validateObject(ingresses, ingress).problems).toEqual([]);
        const flat = (rules: typeof ingress.spec) =>
          rules?.rules?.flatMap(one => one.http?.paths.map(p => [one.host, p.path, p.backend.service?.name]));
        expect(flat(ingress.spec)).toEqual(
          given.spec.rules?.flatMap(one =>
            one.http.paths.map(p => [one.host, p.path, p.backend.serviceName]),
          ),
        );
      }),
      { numRuns: 50 },
    );
  });
});
