import { isIP, isIPv6 } from 'node:net';
import { type EndpointSlice, endpointSlices } from '../../api/kubernetes/endpoint-slice.ts';
import { type Endpoints, endpoints } from '../../api/kubernetes/endpoints.ts';
import { type Service, services } from '../../api/kubernetes/service.ts';
import { endpointSliceManagedByLabel, http01SolverLabel, serviceNameLabel } from '../../api/labels.ts';
import type { ObjectMeta, OwnerReference } from '../../api/meta.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { TerminalError } from '../../core/errors.ts';
import { sameJson } from '../../core/same-json.ts';
import { solverPortNumber, solverServiceName } from './solver-names.ts';

/** Where the solver listener of this process is reached. */
export interface SolverAddress {
  /** An IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
}

/** Throws SOLVER_ADDRESS_INVALID where the address is no IP address. */
export function checkSolverAddress({ address }: SolverAddress): void {
  if (isIP(address) !== 0) return;
  throw new TerminalError(
    `--solver-address ${JSON.stringify(address)} is no IP address: Kubernetes routes to addresses alone`,
    { code: 'SOLVER_ADDRESS_INVALID' },
  );
}

const ownLabels = { [http01SolverLabel]: 'true', 'app.kubernetes.io/managed-by': 'postern' };

/** The Service without a selector: its endpoints are ours to write. */
export function solverServiceIn(namespace: string, nodePort: boolean): Service {
  return {
    apiVersion: apiVersionOf(services),
    kind: services.kind,
    metadata: metadataIn(namespace, {}),
    spec: {
      type: nodePort ? 'NodePort' : 'ClusterIP',
      ports: [{ name: 'http', port: solverPortNumber, targetPort: solverPortNumber, protocol: 'TCP' }],
    },
  };
}

/** What leads from the Service to this process. */
export function solverSliceFor(service: Service, { address, port }: SolverAddress): EndpointSlice {
  return {
    apiVersion: apiVersionOf(endpointSlices),
    kind: endpointSlices.kind,
    metadata: {
      ...metadataIn(service.metadata.namespace ?? '', {
        [serviceNameLabel]: solverServiceName,
        [endpointSliceManagedByLabel]: 'postern.dev',
      }),
      ownerReferences: [ownedBy(service)],
    },
    addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  };
}

/** The same for servers without `discovery.k8s.io/v1`, which mirror it to their EndpointSlices themselves. */
export function solverEndpointsFor(service: Service, { address, port }: SolverAddress): Endpoints {
  return {
    apiVersion: apiVersionOf(endpoints),
    kind: endpoints.kind,
    metadata: { ...metadataIn(service.metadata.namespace ?? '', {}), ownerReferences: [ownedBy(service)] },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'http', port, protocol: 'TCP' }] }],
  };
}

/** Whether an object of one of these names was made by Postern. */
export function isSolverObject({ metadata }: { metadata: ObjectMeta }): boolean {
  return Object.entries(ownLabels).every(([key, value]) => metadata.labels?.[key] === value);
}

/** The Service as it should be; the same object where it is so. What the cluster filled in stays. */
export function mendedService(found: Service, wanted: Service): Service {
  const selected = found.spec?.selector !== undefined && Object.keys(found.spec.selector).length > 0;
  const [port] = found.spec?.ports ?? [];
  const portFits = found.spec?.ports?.length === 1 && port?.port === solverPortNumber;
  // A NodePort that one solver needs does the others no harm.
  const typeFits = found.spec?.type === wanted.spec?.type || found.spec?.type === 'NodePort';
  if (!selected && portFits && typeFits) return found;
  const { selector: _, ...spec } = found.spec ?? {};
  return {
    ...found,
    spec: { ...spec, type: typeFits ? spec.type : wanted.spec?.type, ports: wanted.spec?.ports },
  };
}

/** The EndpointSlice or Endpoints as it should be; the same object where it is so. */
export function mendedEndpoints<T extends EndpointSlice | Endpoints>(found: T, wanted: T): T {
  const next = {
    ...found,
    ...wanted,
    metadata: {
      ...found.metadata,
      labels: { ...found.metadata.labels, ...wanted.metadata.labels },
      ownerReferences: wanted.metadata.ownerReferences,
    },
  };
  return sameJson(next, found) ? found : next;
}

function metadataIn(namespace: string, labels: Record<string, string>): ObjectMeta {
  return { name: solverServiceName, namespace, labels: { ...ownLabels, ...labels } };
}

function ownedBy(service: Service): OwnerReference {
  return {
    apiVersion: apiVersionOf(services),
    kind: services.kind,
    name: solverServiceName,
    uid: service.metadata.uid ?? '',
    controller: true,
  };
}
