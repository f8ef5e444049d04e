import { z } from 'zod';
import { ingressClassAnnotation } from '../annotations.ts';
import { objectMeta } from '../fields.ts';
import { type Problem, problemAt } from '../problem.ts';
import { withRules } from '../rules.ts';
import {
  dnsLabelHint,
  dnsSubdomainHint,
  isDnsLabel,
  isDnsSubdomain,
  isIpAddress,
  isPortName,
  isPortNumber,
  isWildcardDnsSubdomain,
} from '../syntax.ts';
import type { Ingress } from './ingress.ts';
import { ingressClassOf } from './ingress-class.ts';

/*
 * What a current API server checks of an Ingress v1. Unknown fields stay, `property` of CCE's paths among them.
 */

const portName = z.string().refine(name => name === '' || isPortName(name), {
  error: 'must be the name of a port: lower-case letters, digits and "-", 15 characters at most',
});
const portNumber = z
  .int()
  .refine(number => number === 0 || isPortNumber(number), { error: 'must be a port from 1 to 65535' });

const service = withRules(
  z.looseObject({
    name: z.string().refine(isDnsLabel, { error: dnsLabelHint }),
    port: z.looseObject({ name: portName.optional(), number: portNumber.optional() }).optional(),
  }),
  {
    field: 'port',
    message: 'must say which port: set either number or name',
    holds: ({ port }) => ((port?.name ?? '') === '') !== ((port?.number ?? 0) === 0),
  },
);

const resource = z.looseObject({
  apiGroup: z.string().refine(isDnsSubdomain, { error: dnsSubdomainHint }).optional(),
  kind: z.string().min(1),
  name: z.string().min(1),
});

const backend = withRules(z.looseObject({ service: service.optional(), resource: resource.optional() }), {
  field: '',
  message: 'must name where requests go: set either service or resource',
  holds: one => (one.service === undefined) !== (one.resource === undefined),
});

/** What a path of type Exact or Prefix may not hold: it would match no request as it is meant. */
const ambiguous = /\/\/|\/\.\.?(\/|$)|%2f/i;

const path = withRules(
  z.looseObject({
    path: z.string().optional(),
    pathType: z.enum(['Exact', 'Prefix', 'ImplementationSpecific']),
    backend,
  }),
  {
    field: 'path',
    message: 'must begin with "/"',
    holds: ({ path = '', pathType }) =>
      path === '' ? pathType === 'ImplementationSpecific' : path.startsWith('/'),
  },
  {
    field: 'path',
    message: 'must not hold "//", "/./", "/../" or "%2f" with pathType Exact or Prefix',
    holds: one => one.pathType === 'ImplementationSpecific' || !ambiguous.test(one.path ?? ''),
  },
);

const host = z
  .string()
  .refine(
    text =>
      text === '' ||
      ((text.includes('*') ? isWildcardDnsSubdomain(text) : isDnsSubdomain(text)) && !isIpAddress(text)),
    {
      error: 'must be a DNS name in lower case such as "www.example.com" or "*.example.com", without a port',
    },
  );

const tlsHost = z
  .string()
  .refine(text => (text.includes('*') ? isWildcardDnsSubdomain(text) : isDnsSubdomain(text)), {
    error: 'must be a DNS name in lower case such as "www.example.com" or "*.example.com"',
  });

const spec = withRules(
  z.looseObject({
    ingressClassName: z.string().refine(isDnsSubdomain, { error: dnsSubdomainHint }).optional(),
    defaultBackend: backend.optional(),
    rules: z
      .array(
        z.looseObject({
          host: host.optional(),
          http: z.looseObject({ paths: z.array(path).min(1) }).optional(),
        }),
      )
      .optional(),
    tls: z
      .array(
        z.looseObject({
          hosts: z.array(tlsHost).optional(),
          secretName: z
            .string()
            .refine(name => name === '' || isDnsSubdomain(name), { error: dnsSubdomainHint })
            .optional(),
        }),
      )
      .optional(),
  }),
  {
    field: '',
    message: 'routes nothing: set rules or defaultBackend',
    holds: one => (one.rules?.length ?? 0) > 0 || one.defaultBackend !== undefined,
  },
);

export const ingressSchema = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: objectMeta,
  spec,
});

/** What is checked when an Ingress is created, and not when it is changed. */
export function ingressCreateProblems(ingress: Ingress): Problem[] {
  const { overruled } = ingressClassOf(ingress);
  if (overruled === undefined) return [];
  const wanted = `must be spec.ingressClassName ${JSON.stringify(overruled)}: leave one of the two out`;
  return [problemAt(ingress, ['metadata', 'annotations', ingressClassAnnotation], wanted)];
}
