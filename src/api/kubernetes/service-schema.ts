import { z } from 'zod';
import { objectMeta } from '../fields.ts';
import { withRules } from '../rules.ts';
import { dnsSubdomainHint, isDnsLabel, isDnsSubdomain, isPortName, isPortNumber } from '../syntax.ts';
import type { Service } from './service.ts';

const portNumber = z.int().refine(isPortNumber, { error: 'must be a port from 1 to 65535' });

const port = z.looseObject({
  name: z
    .string()
    .refine(name => name === '' || isDnsLabel(name), {
      error: 'must be of lower-case letters, digits and "-"',
    })
    .optional(),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).optional(),
  port: portNumber,
  targetPort: z
    .union([z.int(), z.string()])
    .refine(target => (typeof target === 'number' ? isPortNumber(target) : isPortName(target)), {
      error: 'must be a port from 1 to 65535, or the name of a port of the pods',
    })
    .optional(),
});

const spec = withRules(
  z.looseObject({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).optional(),
    selector: z.record(z.string(), z.string()).optional(),
    ports: z.array(port).optional(),
    clusterIP: z.string().optional(),
    externalName: z
      .string()
      .refine(name => name === '' || isDnsSubdomain(name.replace(/\.$/, '')), { error: dnsSubdomainHint })
      .optional(),
  }),
  {
    field: 'externalName',
    message: 'is missing: a Service of type ExternalName names the host that it stands for',
    holds: one => one.type !== 'ExternalName' || (one.externalName ?? '') !== '',
  },
  {
    field: 'ports',
    message: 'is missing: name one port or more',
    holds: one => one.type === 'ExternalName' || one.clusterIP === 'None' || (one.ports?.length ?? 0) > 0,
  },
  {
    field: 'ports',
    message: 'must each have a name of its own where there are several',
    holds: ({ ports = [] }) =>
      ports.length < 2 ||
      (ports.every(one => (one.name ?? '') !== '') &&
        new Set(ports.map(one => one.name)).size === ports.length),
  },
);

export const serviceSchema = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: objectMeta,
  spec,
});

/** The Service as it is stored: with the defaults that an API server sets. No address is given out. */
export function storedService(service: Service): Service {
  const spec = service.spec ?? {};
  return {
    ...service,
    spec: {
      ...spec,
      type: spec.type ?? 'ClusterIP',
      sessionAffinity: spec.sessionAffinity ?? 'None',
      ...(spec.ports !== undefined && {
        ports: spec.ports.map(port => ({
          ...port,
          protocol: port.protocol ?? 'TCP',
          targetPort: port.targetPort ?? port.port,
        })),
      }),
    },
  };
}
