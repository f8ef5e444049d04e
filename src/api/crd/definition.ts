import type { CustomResourceDefinition, OpenApiSchema } from '../kubernetes/custom-resource-definition.ts';
import { resourceId } from '../resource.ts';
import type { CustomKind } from './custom-kinds.ts';
import { structuralSchema } from './structural-schema.ts';

/** How a CRD is written. */
export interface Rendering {
  /** Whether CEL rules are in it. kubectl refuses a CRD that has them where the server is older than 1.23. */
  readonly cel: boolean;
}

/** The CustomResourceDefinition of a kind. */
export function customResourceDefinitionOf(kind: CustomKind, rendering: Rendering): CustomResourceDefinition {
  const { resource } = kind;
  const singular = resource.kind.toLowerCase();
  const schema = structuralSchema(kind.schema.describe(kind.description));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: resourceId(resource) },
    spec: {
      group: resource.group,
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        singular,
        ...(kind.shortNames.length > 0 && { shortNames: [...kind.shortNames] }),
        categories: [...kind.categories],
      },
      versions: [
        {
          name: resource.version,
          served: true,
          storage: true,
          ...(resource.hasStatus && { subresources: { status: {} } }),
          additionalPrinterColumns: [...kind.columns],
          schema: { openAPIV3Schema: rendering.cel ? schema : withoutCel(schema) },
        },
      ],
    },
  };
}

/** The schema without its CEL rules. */
function withoutCel(schema: OpenApiSchema): OpenApiSchema {
  const { 'x-kubernetes-validations': _, properties, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    ...(items !== undefined && { items: withoutCel(items) }),
    ...(additionalProperties !== undefined && { additionalProperties: withoutCel(additionalProperties) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, child]) => [name, withoutCel(child)]),
      ),
    }),
  };
}
