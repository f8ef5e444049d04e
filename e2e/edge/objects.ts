import type { Mapping, MappingSpec } from '../../src/api/getambassador/mapping.ts';
import type { TlsContext, TlsContextSpec } from '../../src/api/getambassador/tls-context.ts';
import type { EndpointSlice } from '../../src/api/kubernetes/endpoint-slice.ts';
import type { Ingress, IngressBackend, IngressSpec, PathType } from '../../src/api/kubernetes/ingress.ts';
import type { Secret } from '../../src/api/kubernetes/secret.ts';
import type { Service, ServiceSpec } from '../../src/api/kubernetes/service.ts';
import { serviceNameLabel } from '../../src/api/labels.ts';
import type { Identity } from '../harness/test-authority.ts';

/** Objects of the edge's suites, all in the namespace `default`. */

const namespace = 'default';
/** The port of every Service that does not say otherwise. */
export const servicePort = 8080;

/** `[path, type, service]`; the service `one` where it is left out. */
export type PathSpec = readonly [path: string, type: PathType, service?: string];

export interface SiteOptions {
  /** Default: the host's first label. */
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly paths?: readonly PathSpec[];
  /** Of every path that names none. */
  readonly service?: string;
  /** The Secret of the host's certificate; without it there is no TLS. */
  readonly tls?: string;
  readonly spec?: Partial<IngressSpec>;
}

/** An Ingress for one host; everything goes to the Service `one` where nothing else is said. */
export function site(host: string, options: SiteOptions = {}): Ingress {
  const { name = host.split('.')[0] ?? '', annotations = {}, service = 'one', tls, spec } = options;
  const { paths = [['/', 'Prefix']] } = options;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, annotations: { ...annotations } },
    spec: {
      ingressClassName: 'postern',
      ...(tls !== undefined && { tls: [{ hosts: [host], secretName: tls }] }),
      rules: [
        {
          ...(host !== '' && { host }),
          http: {
            paths: paths.map(([path, pathType, to = service]) => ({ path, pathType, backend: backend(to) })),
          },
        },
      ],
      ...spec,
    },
  };
}

export function backend(name: string, port: number | string = servicePort): IngressBackend {
  return { service: { name, port: typeof port === 'number' ? { number: port } : { name: port } } };
}

/** The annotations of ingress-nginx with these names. */
export function nginx(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(annotations);
  return Object.fromEntries(entries.map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]));
}

export function service(name: string, spec: ServiceSpec = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: 'web', port: servicePort }], ...spec },
  };
}

/** A slice of a Service; `web` is the name of its port. */
export function slice(
  of: string,
  endpoints: EndpointSlice['endpoints'],
  port: number = servicePort,
  more: { readonly name?: string; readonly portName?: string } = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: more.name ?? of, namespace, labels: { [serviceNameLabel]: of } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: more.portName ?? 'web', port, protocol: 'TCP' }],
  };
}

/** A Service without a selector, and the slice that leads it to addresses. */
export function serviceAt(
  name: string,
  port: number,
  ...addresses: readonly string[]
): [Service, EndpointSlice] {
  return [
    service(name, { ports: [{ name: 'web', port }] }),
    slice(
      name,
      addresses.map(address => ({ addresses: [address] })),
      port,
    ),
  ];
}

export function secret(name: string, data: Readonly<Record<string, string>>, type = 'Opaque'): Secret {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: { name, namespace },
    data: Object.fromEntries(encoded),
  };
}

/** A certificate with its key. */
export function pairSecret(name: string, { certPem, keyPem }: Identity, caPem?: string): Secret {
  const data = { 'tls.crt': certPem, 'tls.key': keyPem, ...(caPem !== undefined && { 'ca.crt': caPem }) };
  return secret(name, data, 'kubernetes.io/tls');
}

export function mapping(name: string, spec: MappingSpec): Mapping {
  return { apiVersion: 'getambassador.io/v3alpha1', kind: 'Mapping', metadata: { name, namespace }, spec };
}

export function tlsContext(name: string, spec: TlsContextSpec): TlsContext {
  return { apiVersion: 'getambassador.io/v3alpha1', kind: 'TLSContext', metadata: { name, namespace }, spec };
}
