import type { EndpointSlice } from '../../api/kubernetes/endpoint-slice.ts';
import type { Endpoints } from '../../api/kubernetes/endpoints.ts';
import type { Endpoint } from './table.ts';

/** The port of a Service that is meant. `name` is `''` for a Service's only, nameless port. */
export interface WantedPort {
  readonly name: string;
  /** Where a slice says "any port", and for headless Services without ports. */
  readonly fallback: number;
  /** The Service declares no ports (headless): the slices have none either. */
  readonly portless: boolean;
}

/**
 * The addresses that stand behind a Service's port: those that are ready, or, where none is, those that still
 * serve while they terminate. `ready` absent counts as true (discovery.k8s.io, EndpointConditions; edge.md,
 * statements 10, 12, 13). A Service without slices is looked up in its Endpoints.
 */
export function endpointsFor(
  slices: readonly EndpointSlice[],
  endpoints: Endpoints | undefined,
  port: WantedPort,
): Endpoint[] {
  if (slices.length === 0) return endpoints === undefined ? [] : fromEndpoints(endpoints, port);
  const ready: Endpoint[] = [];
  const draining: Endpoint[] = [];
  for (const slice of slices) {
    // FQDN slices are deprecated and have no defined meaning for a proxy.
    const number = slice.addressType === 'FQDN' ? undefined : portOfSlice(slice, port);
    if (number === undefined) continue;
    for (const { addresses, conditions } of slice.endpoints ?? []) {
      const into =
        (conditions?.ready ?? true)
          ? ready
          : conditions?.terminating === true && conditions.serving === true
            ? draining
            : undefined;
      // The addresses of one endpoint are interchangeable: the first stands for all.
      const address = addresses[0];
      if (address !== undefined) into?.push({ address, port: number });
    }
  }
  return distinct(ready.length > 0 ? ready : draining);
}

function portOfSlice(slice: EndpointSlice, wanted: WantedPort): number | undefined {
  const ports = slice.ports ?? [];
  if (wanted.portless || ports.length === 0) return wanted.portless ? wanted.fallback : undefined;
  const found = ports.find(port => (port.name ?? '') === wanted.name && isTcp(port.protocol));
  return found === undefined ? undefined : (found.port ?? wanted.fallback);
}

function fromEndpoints(endpoints: Endpoints, wanted: WantedPort): Endpoint[] {
  const found: Endpoint[] = [];
  for (const subset of endpoints.subsets ?? []) {
    const named = subset.ports?.find(port => (port.name ?? '') === wanted.name && isTcp(port.protocol));
    const port = wanted.portless ? wanted.fallback : named?.port;
    if (port === undefined) continue;
    for (const { ip } of subset.addresses ?? []) found.push({ address: ip, port });
  }
  return distinct(found);
}

function isTcp(protocol: string | undefined): boolean {
  return protocol === undefined || protocol === 'TCP';
}

/** Sorted, so that the same endpoints give the same table in whatever order the objects came. */
function distinct(endpoints: readonly Endpoint[]): Endpoint[] {
  const byText = new Map(endpoints.map(endpoint => [`${endpoint.address} ${endpoint.port}`, endpoint]));
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}
