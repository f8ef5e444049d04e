import { z } from 'zod';
import {
  annotationMap,
  dnsName,
  goDuration,
  labelMap,
  preserved,
  preservedList,
  stringMap,
  strings,
} from '../fields.ts';
import { withRules } from '../rules.ts';

const templateMetadata = z.object({
  annotations: annotationMap().describe('Annotations to set.').optional(),
  labels: labelMap().describe('Labels to set.').optional(),
});

export const http01IngressSchema = withRules(
  z.object({
    ingressClassName: dnsName().describe('spec.ingressClassName of the solver Ingress.').optional(),
    class: z
      .string()
      .describe('Class of the solver Ingress, as the annotation kubernetes.io/ingress.class.')
      .optional(),
    name: z.string().describe('Existing Ingress that the challenge path is put into.').optional(),
    serviceType: z
      .enum(['ClusterIP', 'NodePort'])
      .describe('Type of the solver Service; NodePort where others serve the Ingress.')
      .optional(),
    podTemplate: preserved().describe('Accepted for compatibility; there are no solver pods.').optional(),
    ingressTemplate: z
      .object({ metadata: templateMetadata.describe('Its metadata.').optional() })
      .describe('Labels and annotations for the solver Ingress.')
      .optional(),
  }),
  {
    field: '',
    message: 'names the Ingress more than once: keep one of ingressClassName, class and name',
    holds: ingress =>
      [ingress.ingressClassName, ingress.class, ingress.name || undefined].filter(one => one !== undefined)
        .length < 2,
    cel: "(has(self.ingressClassName) ? 1 : 0) + (has(self.class) ? 1 : 0) + (has(self.name) && self.name != '' ? 1 : 0) <= 1",
  },
);

export type Http01Ingress = z.infer<typeof http01IngressSchema>;

export const http01Schema = withRules(
  z.object({
    ingress: http01IngressSchema.describe('Solve through an Ingress.').optional(),
    gatewayHTTPRoute: z
      .object({
        labels: stringMap().describe('Labels of the HTTPRoute.').optional(),
        parentRefs: preservedList().describe('Gateways to attach to.').optional(),
        serviceType: z.string().describe('Accepted for compatibility.').optional(),
        podTemplate: preserved().describe('Accepted for compatibility.').optional(),
      })
      .describe('Solve through an HTTPRoute of the Gateway API.')
      .optional(),
  }),
  {
    field: '',
    message: 'must be of one kind: set either ingress or gatewayHTTPRoute',
    holds: http01 => (http01.ingress === undefined) !== (http01.gatewayHTTPRoute === undefined),
    cel: 'has(self.ingress) != has(self.gatewayHTTPRoute)',
  },
);

export const solverSelectorSchema = z.object({
  dnsNames: strings().describe('Names, exactly.').optional(),
  dnsZones: strings().describe('Names in these zones.').optional(),
  matchLabels: stringMap().describe('Labels the Certificate must have.').optional(),
});

export type SolverSelector = z.infer<typeof solverSelectorSchema>;

export const solverSchema = withRules(
  z.object({
    selector: solverSelectorSchema.describe('Which names it is for; all where absent.').optional(),
    http01: http01Schema.describe('HTTP-01 (RFC 8555, 8.3).').optional(),
    dns01: preserved().describe('DNS-01: accepted, not solved.').optional(),
    waitInsteadOfSelfCheck: goDuration()
      .describe(
        'How long to wait after the answer is in place, instead of looking whether it can be reached from here; 0 for not at all.',
      )
      .optional(),
  }),
  {
    field: '',
    message: 'must be of one type: set either http01 or dns01',
    holds: solver => (solver.http01 === undefined) !== (solver.dns01 === undefined),
    cel: 'has(self.http01) != has(self.dns01)',
  },
  {
    field: 'waitInsteadOfSelfCheck',
    message: 'must not be negative: use 0 to wait not at all',
    holds: solver => !(solver.waitInsteadOfSelfCheck ?? '').startsWith('-'),
    cel: "!(has(self.waitInsteadOfSelfCheck) && self.waitInsteadOfSelfCheck.startsWith('-'))",
  },
);

/** One way to solve challenges, and which names it is for. */
export type AcmeSolver = z.infer<typeof solverSchema>;
