import type { EndpointSlice } from '../../api/kubernetes/endpoint-slice.ts';
import type { Endpoints } from '../../api/kubernetes/endpoints.ts';
import type { HttpIngressPath, Ingress, IngressSpec, PathType } from '../../api/kubernetes/ingress.ts';
import type { IngressClass } from '../../api/kubernetes/ingress-class.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import type { Service, ServiceSpec } from '../../api/kubernetes/service.ts';
import { serviceNameLabel } from '../../api/labels.ts';
import { keyText } from '../../api/meta.ts';
import { type Compilation, compileTable } from './compile.ts';
import { type CompileSettings, defaultCompileSettings } from './settings.ts';
import type { EmissaryObjects, Snapshot } from './snapshot.ts';

/** Objects by kind, as a snapshot holds them. */
export interface Objects {
  readonly ingresses?: readonly Ingress[];
  readonly ingressClasses?: readonly IngressClass[];
  readonly services?: readonly Service[];
  readonly endpointSlices?: readonly EndpointSlice[];
  readonly endpoints?: readonly Endpoints[];
  readonly secrets?: readonly Secret[];
  readonly emissary?: Partial<EmissaryObjects>;
}

function textOf(object: { metadata: { namespace?: string | undefined; name?: string | undefined } }): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
}

export function aSnapshot(objects: Objects): Snapshot {
  const services = new Map((objects.services ?? []).map(one => [textOf(one), one]));
  const secrets = new Map((objects.secrets ?? []).map(one => [textOf(one), one]));
  const endpoints = new Map((objects.endpoints ?? []).map(one => [textOf(one), one]));
  return {
    ingresses: objects.ingresses ?? [],
    ingressClasses: objects.ingressClasses ?? [],
    emissary: objects.emissary && { mappings: [], tlsContexts: [], guards: [], ...objects.emissary },
    service: key => services.get(keyText(key)),
    secret: key => secrets.get(keyText(key)),
    endpoints: key => endpoints.get(keyText(key)),
    endpointSlices: ({ namespace, name }) =>
      (objects.endpointSlices ?? []).filter(
        ({ metadata }) => metadata.namespace === namespace && metadata.labels?.[serviceNameLabel] === name,
      ),
  };
}

export const testNowMs = Date.UTC(2026, 0, 1);

export function compileObjects(objects: Objects, settings: Partial<CompileSettings> = {}): Compilation {
  return compileTable(aSnapshot(objects), { ...defaultCompileSettings, ...settings }, testNowMs);
}

/** `[path, type, service]`, the service `web` where left out. */
export type PathSpec = readonly [path: string, type: PathType, service?: string];

export function aPath([path, pathType, service = 'web']: PathSpec): HttpIngressPath {
  return { path, pathType, backend: { service: { name: service, port: { number: 80 } } } };
}

export interface IngressOptions {
  readonly name?: string;
  readonly namespace?: string;
  /** Host to paths; `''` for a rule without a host. */
  readonly rules?: Readonly<Record<string, readonly PathSpec[]>>;
  readonly annotations?: Record<string, string>;
  /** Seconds of age order: smaller is older. */
  readonly createdAt?: number;
  readonly tls?: IngressSpec['tls'];
  readonly spec?: Partial<IngressSpec>;
}

export function anIngress(options: IngressOptions = {}): Ingress {
  const { name = 'site', namespace = 'default', rules = {}, annotations, createdAt = 0, tls, spec } = options;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace,
      uid: `uid-${namespace}-${name}`,
      creationTimestamp: new Date(testNowMs + createdAt * 1_000).toISOString().replace('.000Z', 'Z'),
      annotations,
    },
    spec: {
      ingressClassName: 'postern',
      tls,
      rules: Object.entries(rules).map(([host, paths]) => ({
        ...(host === '' ? {} : { host }),
        http: { paths: paths.map(aPath) },
      })),
      ...spec,
    },
  };
}

export function aService(name = 'web', spec: ServiceSpec = {}, namespace = 'default'): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, targetPort: 8080 }], ...spec },
  };
}

export function aSlice(
  service = 'web',
  endpoints: EndpointSlice['endpoints'] = [{ addresses: ['10.1.0.1'] }],
  ports: EndpointSlice['ports'] = [{ name: '', port: 8080, protocol: 'TCP' }],
  namespace = 'default',
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-1`, namespace, labels: { [serviceNameLabel]: service } },
    addressType: 'IPv4',
    endpoints,
    ports,
  };
}

export function aSecret(name: string, data: Readonly<Record<string, string>>, namespace = 'default'): Secret {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    data: Object.fromEntries(encoded),
  };
}
