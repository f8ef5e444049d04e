import { z } from 'zod';
import type { OpenApiSchema } from '../kubernetes/custom-resource-definition.ts';

/** What JSON Schema says and OpenAPI in a CRD says too. Anything else in a schema is refused. */
const copied = [
  'description',
  'type',
  'format',
  'pattern',
  'enum',
  'default',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
] as const;

const descended: ReadonlySet<string> = new Set(['properties', 'items', 'additionalProperties']);

/** Bounds that zod puts on whole numbers; the format says the same. */
const impliedBounds: ReadonlySet<unknown> = new Set([
  -(2 ** 31),
  2 ** 31 - 1,
  Number.MIN_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER,
]);

type Node = Readonly<Record<string, unknown>>;

/**
 * A zod schema as the structural schema of a CRD: every node has a type, unknown fields are dropped except
 * where the schema is loose. metadata is left to the API server. Throws where a schema says something that a
 * structural schema cannot (unions, say).
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export function structuralSchema(schema: z.ZodType): OpenApiSchema {
  const root = converted(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as Node, '');
  if (root.properties !== undefined) root.properties['metadata'] = { type: 'object' };
  return root;
}

function converted(node: Node, path: string): OpenApiSchema {
  const out: Record<string, unknown> = {};
  for (const key of copied) if (node[key] !== undefined) out[key] = node[key];
  for (const key of Object.keys(node)) {
    if (!descended.has(key) && !(copied as readonly string[]).includes(key)) {
      throw new TypeError(`schema ${path === '' ? '(root)' : path}: a CRD cannot say ${key}`);
    }
  }
  if (node['type'] === undefined) throw new TypeError(`schema ${path}: a CRD needs a type here`);
  if (node['type'] === 'integer') limitInteger(node, out);
  if (node['items'] !== undefined) out['items'] = converted(node['items'] as Node, `${path}[]`);
  const properties = Object.entries((node['properties'] ?? {}) as Readonly<Record<string, Node>>);
  if (properties.length > 0) {
    out['properties'] = Object.fromEntries(
      properties.map(([name, child]) => [name, converted(child, `${path}.${name}`)]),
    );
  }
  const rest = node['additionalProperties'] as Node | undefined;
  if (rest !== undefined) {
    if (Object.keys(rest).length > 0) out['additionalProperties'] = converted(rest, `${path}.*`);
    else out['x-kubernetes-preserve-unknown-fields'] = true;
  }
  return out;
}

function limitInteger(node: Node, out: Record<string, unknown>): void {
  if (node['maximum'] === 2 ** 31 - 1 || node['minimum'] === -(2 ** 31)) out['format'] = 'int32';
  for (const bound of ['minimum', 'maximum']) if (impliedBounds.has(out[bound])) delete out[bound];
}
