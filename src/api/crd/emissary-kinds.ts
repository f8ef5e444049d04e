import { mappingSchema, mappings } from '../getambassador/mapping.ts';
import { tlsContextSchema, tlsContexts } from '../getambassador/tls-context.ts';
import type { PrinterColumn } from '../kubernetes/custom-resource-definition.ts';
import type { CustomKind } from './custom-kinds.ts';

const text = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'string', jsonPath });
const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** The kinds of Emissary-ingress that the edge serves. Their CRDs are installed where someone wants them. */
export const emissaryKinds: readonly CustomKind[] = [
  {
    resource: mappings,
    schema: mappingSchema,
    description: 'Which requests go to which Service.',
    shortNames: [],
    categories: ['ambassador-crds'],
    columns: [
      text('Host', '.spec.hostname'),
      text('Prefix', '.spec.prefix'),
      text('Service', '.spec.service'),
      text('TLS', '.spec.tls'),
      age,
    ],
  },
  {
    resource: tlsContexts,
    schema: tlsContextSchema,
    description: 'How TLS is spoken, with the clients of some hosts or with upstreams.',
    shortNames: [],
    categories: ['ambassador-crds'],
    columns: [text('Secret', '.spec.secret'), text('Minimum', '.spec.min_tls_version'), age],
  },
];
