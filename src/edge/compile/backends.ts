import type { Ingress, IngressBackend } from '../../api/kubernetes/ingress.ts';
import type { Service, ServicePort } from '../../api/kubernetes/service.ts';
import { http01SolverLabel } from '../../api/labels.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { type FindingReason, findingReasons } from '../finding.ts';
import { isAcmeChallengePath } from '../policy/acme-path.ts';
import { isForbiddenAddress, isForbiddenHost } from '../upstream/forbidden-address.ts';
import { quoted } from './annotations.ts';
import { backendKey } from './backend-key.ts';
import type { Lookups } from './dependencies.ts';
import type { WantedPort } from './endpoints.ts';
import type { CompileSettings } from './settings.ts';
import type { Backend, UpstreamProtocol, UpstreamTls } from './table.ts';
import { type UpstreamTlsPolicy, upstreamTlsFor } from './upstream-tls.ts';

/** How the upstreams of an Ingress are reached, or why they are not. */
export type UpstreamAccess =
  | {
      readonly kind: 'open';
      readonly protocol: UpstreamProtocol;
      /** Undefined: without TLS. */
      readonly tls: UpstreamTlsPolicy | undefined;
      /** The Service's own address stands for its endpoints. */
      readonly viaService: boolean;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** Plain HTTP to the endpoints. */
export const plainAccess: UpstreamAccess = Object.freeze({
  kind: 'open',
  protocol: 'http1',
  tls: undefined,
  viaService: false,
});

/** A backend as far as it is known without endpoints: those come and go without a change of what leads to it. */
export type BackendSpec =
  | { readonly kind: 'fixed'; readonly backend: Backend }
  | {
      readonly kind: 'endpoints';
      readonly key: string;
      readonly service: ObjectKey;
      readonly port: WantedPort;
      readonly protocol: UpstreamProtocol;
      readonly tls: UpstreamTls | undefined;
    };

export interface BackendResult {
  readonly spec: BackendSpec;
  readonly finding?: { readonly reason: FindingReason; readonly message: string };
  /** It answers an ACME authority, and is exempt from what guards the site. */
  readonly solver?: boolean;
}

/** The key of what a specification leads to. */
export function keyOfSpec(spec: BackendSpec): string {
  return spec.kind === 'fixed' ? spec.backend.key : spec.key;
}

/**
 * Where a backend of an Ingress leads (edge.md, statements 9 to 12). `path` is the rule's, `''` for a default backend.
 * A Service that does not exist, or has no such port, makes this backend answer 503 and no other.
 */
export function resolveBackend(
  ingress: Ingress,
  path: string,
  backend: IngressBackend,
  access: UpstreamAccess,
  lookups: Lookups,
  settings: CompileSettings,
): BackendResult {
  const namespace = ingress.metadata.namespace ?? '';
  if (backend.service === undefined) {
    const { kind = '', name = '' } = backend.resource ?? {};
    return unavailable(
      `${namespace}/${kind}:${name}`,
      findingReasons.backendUnsupported,
      `the backend resource ${quoted(`${kind} ${name}`)} is not a Service, and only Services are served: name one in backend.service`,
    );
  }
  const { name, port } = backend.service;
  const wanted = port?.name ?? port?.number;
  const key = `${namespace}/${name}:${wanted ?? ''}`;
  const service = lookups.service({ namespace, name });
  if (service === undefined) {
    return unavailable(
      key,
      findingReasons.serviceNotFound,
      `Service ${quoted(`${namespace}/${name}`)} does not exist: create it, or change the backend`,
    );
  }
  if (wanted === undefined) {
    return unavailable(
      key,
      findingReasons.servicePortNotFound,
      `the backend Service ${quoted(name)} is named without a port: set backend.service.port`,
    );
  }
  const solver = isAcmeChallengePath(path) && service.metadata.labels?.[http01SolverLabel] === 'true';
  // The solver speaks HTTP and is exempt from what guards the site, so that a challenge can be answered in place.
  const effective = solver ? plainAccess : access;
  if (effective.kind === 'refused') {
    const refused = `${key} refused by ${namespace}/${ingress.metadata.name ?? ''}`;
    return fixed({ kind: 'unavailable', key: refused, reason: effective.reason });
  }
  const result = serviceBackend(key, service, wanted, effective, settings);
  return solver ? { ...result, solver } : result;
}

/** The backend of a Service by one of its ports, a number or a name. `key` is `namespace/name:port`. */
export function serviceBackend(
  key: string,
  service: Service,
  wanted: string | number,
  access: UpstreamAccess & { kind: 'open' },
  settings: CompileSettings,
): BackendResult {
  const { namespace = '', name = '' } = service.metadata;
  const servicePort = service.spec?.ports?.find(one =>
    typeof wanted === 'number' ? one.port === wanted : one.name === wanted,
  );
  if (service.spec?.type === 'ExternalName')
    return externalBackend(key, service, servicePort, wanted, access, settings);
  const portless = (service.spec?.ports ?? []).length === 0 && typeof wanted === 'number';
  if (servicePort === undefined && !portless) {
    return unavailable(
      key,
      findingReasons.servicePortNotFound,
      `Service ${quoted(`${namespace}/${name}`)} has no port ${quoted(String(wanted))}: use one that its spec.ports has`,
    );
  }
  const { protocol } = access;
  const tls = access.tls && upstreamTlsFor(access.tls, `${name}.${namespace}.svc`);
  const { clusterIP = '' } = service.spec ?? {};
  if (access.viaService && servicePort !== undefined && clusterIP !== '' && clusterIP !== 'None') {
    const viaKey = `${backendKey(key, protocol, tls)} via service`;
    if (isForbiddenAddress(clusterIP, settings.standalone))
      return unavailable(viaKey, findingReasons.endpointRefused, refusedEndpoint(key, clusterIP));
    const endpoints = [{ address: clusterIP, port: servicePort.port }];
    return fixed({ kind: 'endpoints', key: viaKey, endpoints, protocol, tls });
  }
  const fallback = portless ? wanted : numericTarget(servicePort);
  const spec: BackendSpec = {
    kind: 'endpoints',
    key: backendKey(key, protocol, tls),
    service: { namespace, name },
    port: { name: servicePort?.name ?? '', fallback, portless },
    protocol,
    tls,
  };
  return { spec };
}

/** What is said of an endpoint at an address that no upstream may have. */
export function refusedEndpoint(key: string, address: string): string {
  const service = key.slice(0, key.lastIndexOf(':'));
  return `Service ${quoted(service)} has an endpoint at ${address}, which is not served: loopback, link-local and multicast addresses are refused`;
}

function externalBackend(
  key: string,
  service: Service,
  servicePort: ServicePort | undefined,
  wanted: string | number,
  access: UpstreamAccess & { kind: 'open' },
  settings: CompileSettings,
): BackendResult {
  const named = `Service ${quoted(`${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`)}`;
  const host = (service.spec?.externalName ?? '').toLowerCase().replace(/\.$/, '');
  if (!settings.externalNames) {
    return unavailable(
      key,
      findingReasons.endpointRefused,
      `${named} is of type ExternalName, and those are switched off`,
    );
  }
  if (host === '' || !/^[a-z0-9_.:-]+$/.test(host) || isForbiddenHost(host, settings.standalone)) {
    return unavailable(
      key,
      findingReasons.endpointRefused,
      `${named} has the externalName ${quoted(host)}, which is not served: loopback and link-local upstreams are refused`,
    );
  }
  const port = servicePort === undefined ? wanted : numericTarget(servicePort);
  if (typeof port !== 'number') {
    return unavailable(
      key,
      findingReasons.servicePortNotFound,
      `${named} has no port named ${quoted(port)}: use a number`,
    );
  }
  const { protocol } = access;
  const tls = access.tls && upstreamTlsFor(access.tls, host);
  return fixed({ kind: 'external', key: backendKey(key, protocol, tls), host, port, protocol, tls });
}

function numericTarget(port: ServicePort | undefined): number {
  return typeof port?.targetPort === 'number' ? port.targetPort : (port?.port ?? 0);
}

function fixed(backend: Backend): BackendResult {
  return { spec: { kind: 'fixed', backend } };
}

function unavailable(key: string, reason: FindingReason, message: string): BackendResult {
  return { ...fixed({ kind: 'unavailable', key, reason: message }), finding: { reason, message } };
}
