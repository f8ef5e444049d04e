import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { orders } from './acme/order.ts';
import { type Certificate, certificates } from './cert-manager/certificate.ts';
import { certificateRequests } from './cert-manager/certificate-request.ts';
import { type Issuer, issuers } from './cert-manager/issuer.ts';
import { customKinds } from './crd/custom-kinds.ts';
import { configMaps } from './kubernetes/core.ts';
import { type EndpointSlice, endpointSlices } from './kubernetes/endpoint-slice.ts';
import { type Endpoints, endpoints } from './kubernetes/endpoints.ts';
import { type Ingress, type IngressSpec, ingresses } from './kubernetes/ingress.ts';
import { type IngressClass, ingressClasses } from './kubernetes/ingress-class.ts';
import { type Secret, secrets } from './kubernetes/secret.ts';
import { type Service, type ServiceSpec, services } from './kubernetes/service.ts';
import { manifests } from './manifests.testing.ts';
import type { KubeObject } from './meta.ts';
import type { Resource } from './resource.ts';
import { validateObject } from './schemas.ts';

const metadata = { name: 'shop', namespace: 'default' };

function messages<T extends KubeObject>(resource: Resource<T>, object: T, before?: T): string[] {
  return validateObject(resource, object, before).problems.map(problem => problem.message);
}

describe('custom resources', () => {
  it.each(Object.entries(manifests))('%s is taken, and comes out as it went in', (_name, yaml) => {
    const object = parse(yaml) as KubeObject;
    const kind = customKinds.find(({ resource }) => resource.kind === object.kind);
    expect(kind).toBeDefined();
    if (kind !== undefined) expect(validateObject(kind.resource, object)).toEqual({ object, problems: [] });
  });

  const certificate: Certificate = {
    metadata,
    spec: { secretName: 'a', issuerRef: { name: 'ca' }, dnsNames: ['a.example'] },
  };

  it('lose the fields that nobody knows', () => {
    const given = { ...certificate, spec: { ...certificate.spec, dnsname: 'a' }, extra: 1 } as Certificate;
    expect(validateObject(certificates, given).object).toEqual(certificate);
  });

  it('keep all metadata that an API server adds', () => {
    const managed = { ...metadata, uid: 'u', generation: 2, managedFields: [{ manager: 'kubectl' }] };
    expect(validateObject(certificates, { ...certificate, metadata: managed }).object.metadata).toEqual(
      managed,
    );
  });

  it('do not have what is null', () => {
    const given = { metadata, spec: { ...certificate.spec, uris: null } } as unknown as Certificate;
    expect(validateObject(certificates, given)).toEqual({ object: certificate, problems: [] });
  });

  it.each<[string, object, string]>([
    ['of no type', {}, 'spec must be of one type: set exactly one of acme, ca, selfSigned, vault, venafi'],
    [
      'of two types',
      { ca: { secretName: 'a' }, selfSigned: {} },
      'spec must be of one type: set exactly one of acme, ca, selfSigned, vault, venafi',
    ],
    ['that signs with no Secret', { ca: {} }, 'spec.ca.secretName is missing: set it to text'],
  ])('refuse an Issuer %s', (_name, spec, message) => {
    expect(messages(issuers, { metadata, spec })).toEqual([message]);
  });

  const acme = { server: 'https://acme.example/dir', privateKeySecretRef: { name: 'key' } };

  it.each<[string, object, string]>([
    [
      'whose server is no URL',
      { server: 'acme.example' },
      'spec.acme.server "acme.example" must be a URL that begins with https://',
    ],
    [
      'that verifies and does not',
      { caBundle: 'YQ==', skipTLSVerify: true },
      'spec.acme.skipTLSVerify true must not stand together with caBundle: leave skipTLSVerify out',
    ],
    [
      'whose bundle is PEM and not base64',
      { caBundle: '-----BEGIN' },
      'spec.acme.caBundle "-----BEGIN" must be base64 (RFC 4648)',
    ],
    [
      'with a solver of no type',
      { solvers: [{ selector: {} }] },
      'spec.acme.solvers[0] must be of one type: set either http01 or dns01',
    ],
    [
      'with an empty http01',
      { solvers: [{ http01: {} }] },
      'spec.acme.solvers[0].http01 must be of one kind: set either ingress or gatewayHTTPRoute',
    ],
    [
      'with a class twice',
      { solvers: [{ http01: { ingress: { class: 'a', ingressClassName: 'a' } } }] },
      'spec.acme.solvers[0].http01.ingress names the Ingress more than once: keep one of ingressClassName, class and name',
    ],
  ])('refuse an ACME Issuer %s', (_name, change, message) => {
    const issuer: Issuer = { metadata, spec: { acme: { ...acme, ...change } } };
    expect(messages(issuers, issuer)).toEqual([message]);
  });

  it('do not let the spec of a CertificateRequest or an Order change', () => {
    const request = { metadata, spec: { request: 'YQ==', issuerRef: { name: 'a' } } };
    const changed = { ...request, spec: { ...request.spec, request: 'Yg==' } };
    const message = 'spec must not be changed: delete the object and create another';
    expect(messages(certificateRequests, changed, request)).toEqual([message]);
    expect(messages(orders, changed, request)).toEqual([message]);
    expect(messages(orders, { ...request, status: { state: 'ready' } }, request)).toEqual([]);
    expect(
      messages(certificates, { ...certificate, spec: { ...certificate.spec, duration: '2h' } }, certificate),
    ).toEqual([]);
  });
});

describe('Ingresses', () => {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const withPaths = (...paths: object[]): IngressSpec => ({ rules: [{ http: { paths } }] }) as IngressSpec;
  const withPath = (path: object): IngressSpec =>
    withPaths({ pathType: 'Prefix', path: '/', backend, ...path });
  const at = 'spec.rules[0].http.paths[0]';

  it.each<[string, IngressSpec]>([
    ['a default backend alone', { defaultBackend: backend }],
    ['a host without paths', { rules: [{ host: 'a.example' }] }],
    [
      'a wildcard, TLS and a class',
      {
        ingressClassName: 'nginx',
        rules: [{ host: '*.a.example' }],
        tls: [{ hosts: ['*.a.example'], secretName: 'a' }, { secretName: '' }],
      },
    ],
    ['an empty path of its own kind', withPaths({ pathType: 'ImplementationSpecific', backend })],
    ['an empty text as a path of its own kind', withPath({ path: '', pathType: 'ImplementationSpecific' })],
    [
      'a resource as backend',
      { defaultBackend: { resource: { apiGroup: 'a.example', kind: 'Bucket', name: 'b' } } },
    ],
    ['a port by name', { defaultBackend: { service: { name: '0web', port: { name: 'https' } } } }],
    [
      'a property of CCE',
      withPath({ property: { 'ingress.beta.kubernetes.io/url-match-mode': 'STARTS_WITH' } }),
    ],
    ['a regular expression', withPath({ pathType: 'ImplementationSpecific', path: '/a//(b|c)' })],
  ])('with %s are taken as they are', (_name, spec) => {
    expect(validateObject(ingresses, { metadata, spec })).toEqual({
      object: { metadata, spec },
      problems: [],
    });
  });

  it.each<[string, IngressSpec, string]>([
    ['nothing', {}, 'spec routes nothing: set rules or defaultBackend'],
    [
      'no paths',
      { rules: [{ http: { paths: [] } }] },
      'spec.rules[0].http.paths must have a number of entries of 1 or more',
    ],
    [
      'no pathType',
      withPath({ pathType: undefined }),
      `${at}.pathType is missing: set it to one of "Exact", "Prefix", "ImplementationSpecific"`,
    ],
    [
      'an unknown pathType',
      withPath({ pathType: 'prefix' }),
      `${at}.pathType "prefix" must be one of "Exact", "Prefix", "ImplementationSpecific"`,
    ],
    ['a relative path', withPath({ path: 'a' }), `${at}.path "a" must begin with "/"`],
    ['no path where one is needed', withPath({ path: undefined }), `${at}.path must begin with "/"`],
    [
      'an empty path that is Exact',
      withPath({ pathType: 'Exact', path: '' }),
      `${at}.path "" must begin with "/"`,
    ],
    [
      'a path that climbs',
      withPath({ path: '/a/..' }),
      `${at}.path "/a/.." must not hold "//", "/./", "/../" or "%2f" with pathType Exact or Prefix`,
    ],
    [
      'an encoded slash',
      withPath({ path: '/a%2Fb' }),
      `${at}.path "/a%2Fb" must not hold "//", "/./", "/../" or "%2f" with pathType Exact or Prefix`,
    ],
    [
      'an address as host',
      { rules: [{ host: '192.0.2.1' }] },
      'spec.rules[0].host "192.0.2.1" must be a DNS name in lower case such as "www.example.com" or "*.example.com", without a port',
    ],
    [
      'a star alone',
      { rules: [{ host: '*' }] },
      'spec.rules[0].host "*" must be a DNS name in lower case such as "www.example.com" or "*.example.com", without a port',
    ],
    [
      'no backend',
      withPath({ backend: {} }),
      `${at}.backend must name where requests go: set either service or resource`,
    ],
    [
      'two ports',
      { defaultBackend: { service: { name: 'web', port: { name: 'a', number: 1 } } } },
      'spec.defaultBackend.service.port must say which port: set either number or name',
    ],
    [
      'no port',
      { defaultBackend: { service: { name: 'web' } } },
      'spec.defaultBackend.service.port must say which port: set either number or name',
    ],
    [
      'a port out of range',
      { defaultBackend: { service: { name: 'web', port: { number: 65536 } } } },
      'spec.defaultBackend.service.port.number 65536 must be a port from 1 to 65535',
    ],
    [
      'a placeholder as Service',
      { defaultBackend: { service: { name: '<your_service_name>', port: { number: 80 } } } },
      'spec.defaultBackend.service.name "<your_service_name>" must be of lower-case letters, digits and "-", 63 characters at most, such as "my-name"',
    ],
    [
      'a bad Secret name',
      { defaultBackend: backend, tls: [{ secretName: 'A' }] },
      'spec.tls[0].secretName "A" must be a DNS name of lower-case letters, digits, "-" and ".", 253 characters at most, such as "my-name"',
    ],
  ])('with %s are refused', (_name, spec, message) => {
    expect(messages(ingresses, { metadata, spec })).toEqual([message]);
  });

  it('may change into having two classes, and not be created so', () => {
    const ingress: Ingress = {
      metadata: { ...metadata, annotations: { 'kubernetes.io/ingress.class': 'a' } },
      spec: { defaultBackend: backend, ingressClassName: 'b' },
    };
    expect(messages(ingresses, ingress)).toEqual([
      'metadata.annotations["kubernetes.io/ingress.class"] "a" must be spec.ingressClassName "b": leave one of the two out',
    ]);
    expect(messages(ingresses, ingress, ingress)).toEqual([]);
  });

  it('do not have what is null', () => {
    const spec = { defaultBackend: backend, tls: null } as unknown as IngressSpec;
    expect(validateObject(ingresses, { metadata, spec }).object.spec).toEqual({ defaultBackend: backend });
  });
});

describe('Secrets', () => {
  const tls: Secret = { metadata, type: 'kubernetes.io/tls', data: { 'tls.crt': 'YQ==', 'tls.key': '' } };

  it('are Opaque where no type is named, and stringData becomes data', () => {
    const given: Secret = { metadata, data: { a: 'YQ==', b: 'Yg==' }, stringData: { b: 'ü' } };
    expect(validateObject(secrets, given)).toEqual({
      object: { metadata, type: 'Opaque', data: { a: 'YQ==', b: 'w7w=' } },
      problems: [],
    });
  });

  it.each<[string, Secret, string]>([
    ['a value that is no base64', { metadata, data: { a: 'secret!' } }, 'data.a must be base64 (RFC 4648)'],
    [
      'an impossible key',
      { metadata, data: { 'a/b': 'YQ==' } },
      'data["a/b"] is no valid key: use letters, digits, "-", "_" and "."',
    ],
    [
      'type kubernetes.io/tls without a key',
      { metadata, type: 'kubernetes.io/tls', data: { 'tls.crt': '' } },
      'data must have tls.crt and tls.key, as type kubernetes.io/tls says',
    ],
    [
      'more than 1 MiB',
      { metadata, stringData: { a: 'a'.repeat(1_048_577) } },
      'data is too large: 1 MiB is the most that a Secret holds',
    ],
  ])('with %s are refused, and no value is repeated', (_name, secret, message) => {
    expect(messages(secrets, secret)).toEqual([message]);
  });

  it('keep their type, and what is immutable', () => {
    expect(messages(secrets, { ...tls, type: 'Opaque' }, tls)).toEqual([
      'type "Opaque" must not be changed: delete the object and create another',
    ]);
    const kept = { ...tls, immutable: true };
    expect(messages(secrets, { ...kept, data: { ...tls.data, more: 'YQ==' } }, kept)).toEqual([
      'data must not be changed: the Secret is immutable; delete it and create another',
    ]);
    expect(messages(secrets, { ...kept, metadata: { ...metadata, labels: { a: 'b' } } }, kept)).toEqual([]);
  });
});

describe('Services', () => {
  it('get the defaults of an API server', () => {
    const service: Service = {
      metadata,
      spec: { ports: [{ port: 80 }, { name: 'b', port: 81, targetPort: 'b' }].slice(0, 1) },
    };
    expect(validateObject(services, service).object.spec).toEqual({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    });
  });

  it.each<[ServiceSpec, string]>([
    [{}, 'spec.ports is missing: name one port or more'],
    [
      { type: 'ExternalName' },
      'spec.externalName is missing: a Service of type ExternalName names the host that it stands for',
    ],
    [
      { type: 'ExternalName', externalName: 'a b' },
      'spec.externalName "a b" must be a DNS name of lower-case letters, digits, "-" and ".", 253 characters at most, such as "my-name"',
    ],
    [
      { ports: [{ port: 80 }, { port: 81 }] },
      'spec.ports must each have a name of its own where there are several',
    ],
    [{ ports: [{ port: 0 }] }, 'spec.ports[0].port 0 must be a port from 1 to 65535'],
    [
      { ports: [{ port: 80, targetPort: 'A' }] },
      'spec.ports[0].targetPort "A" must be a port from 1 to 65535, or the name of a port of the pods',
    ],
  ])('%j is refused', (spec, message) => {
    expect(messages(services, { metadata, spec })).toEqual([message]);
  });

  it('need no port where they are headless or a name', () => {
    expect(messages(services, { metadata, spec: { clusterIP: 'None' } })).toEqual([]);
    expect(
      messages(services, { metadata, spec: { type: 'ExternalName', externalName: 'localhost' } }),
    ).toEqual([]);
  });
});

describe('addresses of a Service', () => {
  it('may be the host’s own, and ports are TCP', () => {
    const slice: EndpointSlice = {
      metadata,
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'] }],
      ports: [{ port: 80 }],
    };
    expect(validateObject(endpointSlices, slice).object.ports).toEqual([{ port: 80, protocol: 'TCP' }]);
    const old: Endpoints = { metadata, subsets: [{ addresses: [{ ip: '::1' }], ports: [{ port: 80 }] }] };
    expect(validateObject(endpoints, old).object.subsets?.[0]?.ports).toEqual([
      { port: 80, protocol: 'TCP' },
    ]);
  });

  it.each<[Partial<EndpointSlice>, string]>([
    [{ addressType: undefined as never }, 'addressType is missing: set it to one of "IPv4", "IPv6", "FQDN"'],
    [
      { endpoints: [{ addresses: ['::1'] }] },
      'endpoints[0].addresses[0] "::1" must be an address of addressType IPv4',
    ],
    [{ endpoints: [{ addresses: [] }] }, 'endpoints[0].addresses must have a number of entries of 1 or more'],
    [{ ports: [{ port: 70000 }] }, 'ports[0].port 70000 must be a port from 1 to 65535'],
  ])('%j is refused', (change, message) => {
    expect(messages(endpointSlices, { metadata, addressType: 'IPv4', ...change })).toEqual([message]);
  });

  it('refuse Endpoints that are none', () => {
    expect(messages(endpoints, { metadata, subsets: [{ ports: [{ port: 80 }] }] })).toEqual([
      'subsets[0] has no address: set addresses or notReadyAddresses',
    ]);
  });
});

describe('IngressClasses', () => {
  const postern: IngressClass = {
    metadata: { name: 'postern' },
    spec: { controller: 'postern.dev/ingress' },
  };

  it('name a controller for good', () => {
    expect(messages(ingressClasses, postern)).toEqual([]);
    expect(messages(ingressClasses, { ...postern, spec: { controller: 'nginx' } })).toEqual([
      'spec.controller "nginx" must be a domain and a path such as "postern.dev/ingress"',
    ]);
    expect(messages(ingressClasses, { ...postern, spec: { controller: 'a.b/c' } }, postern)).toEqual([
      'spec.controller "a.b/c" must not be changed: delete the object and create another',
    ]);
  });
});

it('takes an object of a kind without a schema as it is', () => {
  const object = { metadata, data: { a: 'b' } };
  expect(validateObject(configMaps, object)).toEqual({ object, problems: [] });
});
