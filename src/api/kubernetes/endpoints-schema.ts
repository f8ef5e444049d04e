import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { objectMeta } from '../fields.ts';
import { withRules } from '../rules.ts';
import { isDnsLabel, isDnsSubdomain, isIpAddress, isPortNumber } from '../syntax.ts';
import type { EndpointSlice } from './endpoint-slice.ts';
import type { Endpoints } from './endpoints.ts';

/*
 * Endpoints and EndpointSlices. An API server refuses loopback and link-local addresses in them, because
 * they would lead to whatever node serves the request. Here there is one host alone, and its own addresses
 * are what a user means: they are taken.
 */

const typeMeta = { apiVersion: z.string().optional(), kind: z.string().optional(), metadata: objectMeta };

const portNumber = z.int().refine(isPortNumber, { error: 'must be a port from 1 to 65535' });
const portName = z.string().refine(name => name === '' || isDnsLabel(name), {
  error: 'must be of lower-case letters, digits and "-"',
});
const protocol = z.enum(['TCP', 'UDP', 'SCTP']);

const address = z.looseObject({
  ip: z.string().refine(isIpAddress, { error: 'must be an IP address such as "192.0.2.1" or "2001:db8::1"' }),
});

const subset = withRules(
  z.looseObject({
    addresses: z.array(address).optional(),
    notReadyAddresses: z.array(address).optional(),
    ports: z
      .array(z.looseObject({ name: portName.optional(), port: portNumber, protocol: protocol.optional() }))
      .optional(),
  }),
  {
    field: '',
    message: 'has no address: set addresses or notReadyAddresses',
    holds: one => (one.addresses?.length ?? 0) + (one.notReadyAddresses?.length ?? 0) > 0,
  },
);

export const endpointsSchema = z.looseObject({ ...typeMeta, subsets: z.array(subset).optional() });

const addressFits: Readonly<Record<EndpointSlice['addressType'], (text: string) => boolean>> = {
  IPv4: isIPv4,
  IPv6: text => isIPv6(text) && isIpAddress(text),
  FQDN: isDnsSubdomain,
};

export const endpointSliceSchema = z
  .looseObject({
    ...typeMeta,
    addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
    endpoints: z.array(z.looseObject({ addresses: z.array(z.string()).min(1).max(100) })).optional(),
    ports: z
      .array(
        z.looseObject({
          name: portName.optional(),
          port: portNumber.optional(),
          protocol: protocol.optional(),
        }),
      )
      .max(100)
      .optional(),
  })
  .superRefine((slice, context) => {
    for (const [i, endpoint] of (slice.endpoints ?? []).entries()) {
      for (const [j, text] of endpoint.addresses.entries()) {
        if (addressFits[slice.addressType](text)) continue;
        const message = `must be an address of addressType ${slice.addressType}`;
        context.addIssue({ code: 'custom', path: ['endpoints', i, 'addresses', j], message, input: text });
      }
    }
  });

/** The Endpoints as they are stored: ports have a protocol. */
export function storedEndpoints(endpoints: Endpoints): Endpoints {
  if (endpoints.subsets === undefined) return endpoints;
  return {
    ...endpoints,
    subsets: endpoints.subsets.map(one => ({
      ...one,
      ...(one.ports && { ports: one.ports.map(withProtocol) }),
    })),
  };
}

/** The EndpointSlice as it is stored: ports have a protocol. */
export function storedEndpointSlice(slice: EndpointSlice): EndpointSlice {
  return slice.ports === undefined ? slice : { ...slice, ports: slice.ports.map(withProtocol) };
}

function withProtocol<P extends { protocol?: string | undefined }>(port: P): P & { protocol: string } {
  return { ...port, protocol: port.protocol ?? 'TCP' };
}
