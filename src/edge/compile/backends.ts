import type { Ingress, IngressBackend } from '../../api/kubernetes/ingress.ts';
import type { Service, ServicePort } from '../../api/kubernetes/service.ts';
import { http01SolverLabel } from '../../api/labels.ts';
import { type FindingReason, findingReasons } from '../finding.ts';
import { isAcmeChallengePath } from '../policy/acme-path.ts';
import { isForbiddenAddress, isForbiddenHost } from '../upstream/forbidden-address.ts';
import { quoted } from './annotations.ts';
import { backendKey } from './backend-key.ts';
import { endpointsFor } from './endpoints.ts';
import type { CompileSettings } from './settings.ts';
import type { Snapshot } from './snapshot.ts';
import type { Backend, UpstreamTls } from './table.ts';
import { type UpstreamTlsPolicy, upstreamTlsFor } from './upstream-tls.ts';

/** How the upstreams of an Ingress are reached: in plain HTTP, by TLS, or not at all. */
export type UpstreamAccess =
  | { readonly kind: 'http' }
  | { readonly kind: 'https'; readonly policy: UpstreamTlsPolicy }
  | { readonly kind: 'refused'; readonly reason: string };

export interface BackendResult {
  readonly backend: Backend;
  readonly finding?: { readonly reason: FindingReason; readonly message: string };
}

/**
 * Where a backend of an Ingress leads (edge.md, statements 9 to 13). `path` is the rule's, `''` for a default backend.
 * A Service that does not exist, or has no such port or no endpoints, makes this backend answer 503 and no other.
 */
export function resolveBackend(
  ingress: Ingress,
  path: string,
  backend: IngressBackend,
  access: UpstreamAccess,
  snapshot: Snapshot,
  settings: CompileSettings,
): BackendResult {
  const namespace = ingress.metadata.namespace ?? '';
  if (backend.service === undefined) {
    const named = quoted(`${backend.resource?.kind ?? ''} ${backend.resource?.name ?? ''}`);
    return unavailable(
      `${namespace}/resource`,
      findingReasons.backendUnsupported,
      `the backend resource ${named} is not a Service, and only Services are served: name one in backend.service`,
    );
  }
  const { name, port } = backend.service;
  const wanted = port?.name ?? port?.number;
  const key = `${namespace}/${name}:${wanted ?? ''}`;
  const service = snapshot.service({ namespace, name });
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
  const forSolver = isAcmeChallengePath(path) && service.metadata.labels?.[http01SolverLabel] === 'true';
  // The solver speaks HTTP and is exempt from what guards the site, so that a challenge can be answered in place.
  const effective = forSolver ? ({ kind: 'http' } as const) : access;
  if (effective.kind === 'refused')
    return { backend: { kind: 'unavailable', key: refusedKey(key, ingress), reason: effective.reason } };
  const servicePort = service.spec?.ports?.find(one =>
    typeof wanted === 'number' ? one.port === wanted : one.name === wanted,
  );
  if (service.spec?.type === 'ExternalName') {
    return externalBackend(key, service, servicePort, wanted, effective, settings);
  }
  return serviceBackend(key, service, servicePort, wanted, effective, snapshot, settings);
}

function serviceBackend(
  key: string,
  service: Service,
  servicePort: ServicePort | undefined,
  wanted: string | number,
  access: UpstreamAccess,
  snapshot: Snapshot,
  settings: CompileSettings,
): BackendResult {
  const { namespace = '', name = '' } = service.metadata;
  const portless = (service.spec?.ports ?? []).length === 0 && typeof wanted === 'number';
  if (servicePort === undefined && !portless) {
    return unavailable(
      key,
      findingReasons.servicePortNotFound,
      `Service ${quoted(`${namespace}/${name}`)} has no port ${quoted(String(wanted))}: use one that its spec.ports has`,
    );
  }
  const fallback = portless ? wanted : numericTarget(servicePort);
  const all = endpointsFor(
    snapshot.endpointSlices({ namespace, name }),
    snapshot.endpoints({ namespace, name }),
    { name: servicePort?.name ?? '', fallback, portless },
  );
  const endpoints = all.filter(({ address }) => !isForbiddenAddress(address, settings.standalone));
  const tls = tlsFor(access, `${name}.${namespace}.svc`);
  const result: Backend = {
    kind: 'endpoints',
    key: backendKey(key, 'http1', tls),
    endpoints,
    protocol: 'http1',
    tls,
  };
  const refused = all.find(({ address }) => isForbiddenAddress(address, settings.standalone));
  if (refused === undefined) return { backend: result };
  const message = `Service ${quoted(`${namespace}/${name}`)} has an endpoint at ${refused.address}, which is not served: loopback, link-local and multicast addresses are refused`;
  return { backend: result, finding: { reason: findingReasons.endpointRefused, message } };
}

function externalBackend(
  key: string,
  service: Service,
  servicePort: ServicePort | undefined,
  wanted: string | number,
  access: UpstreamAccess,
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
  const tls = tlsFor(access, host);
  return {
    backend: { kind: 'external', key: backendKey(key, 'http1', tls), host, port, protocol: 'http1', tls },
  };
}

function tlsFor(access: UpstreamAccess, upstreamName: string): UpstreamTls | undefined {
  return access.kind === 'https' ? upstreamTlsFor(access.policy, upstreamName) : undefined;
}

function refusedKey(key: string, { metadata }: Ingress): string {
  return `${key} refused by ${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function numericTarget(port: ServicePort | undefined): number {
  return typeof port?.targetPort === 'number' ? port.targetPort : (port?.port ?? 0);
}

function unavailable(key: string, reason: FindingReason, message: string): BackendResult {
  return { backend: { kind: 'unavailable', key, reason: message }, finding: { reason, message } };
}
