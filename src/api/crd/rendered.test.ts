import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CustomResourceDefinition, OpenApiSchema } from '../kubernetes/custom-resource-definition.ts';
import { emissaryFolder, renderedDefinitions, withoutCelFolder } from './rendered.ts';

const files = [...renderedDefinitions()];
const isEmissarys = (name: string): boolean => name.startsWith(emissaryFolder);
const hasNoCel = (name: string): boolean => name.includes(withoutCelFolder);
const crdsFolder = new URL('../../../crds/', import.meta.url);

function* nodes(schema: OpenApiSchema, path: string): Generator<[string, OpenApiSchema]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodes(child, `${path}.${name}`);
  if (schema.items !== undefined) yield* nodes(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) yield* nodes(schema.additionalProperties, `${path}.*`);
}

const definitionOf = (text: string): CustomResourceDefinition => parse(text) as CustomResourceDefinition;
const schemaOf = (text: string): OpenApiSchema =>
  definitionOf(text).spec.versions[0]?.schema?.openAPIV3Schema ?? {};

describe.each(files)('crds/%s', (name, text) => {
  it('is what is written there (else run "node crds/generate.ts")', () => {
    expect(readFileSync(new URL(name, crdsFolder), 'utf8')).toBe(text);
  });

  it('has a structural schema: a type at every node, and nothing that is forbidden', () => {
    for (const [path, node] of nodes(schemaOf(text), '')) {
      expect(node.type, path).toBeDefined();
      expect(Object.keys(node), path).not.toEqual(
        expect.arrayContaining(['anyOf', 'oneOf', 'allOf', 'not', '$ref']),
      );
      expect(node.properties === undefined || node.additionalProperties === undefined, path).toBe(true);
      if (node.type === 'array') expect(node.items, path).toBeDefined();
      if (path === '.metadata') expect(node).toEqual({ type: 'object' });
    }
  });

  it('describes every field of spec and status but those that explain themselves', () => {
    const { spec, status } = schemaOf(text).properties ?? {};
    for (const [field, node] of Object.entries({ ...spec?.properties, ...status?.properties })) {
      expect(node.description, field).toMatch(/\.$/);
    }
  });

  it('has CEL rules only where they may be', () => {
    const rules = [...nodes(schemaOf(text), '')].flatMap(
      ([, node]) => node['x-kubernetes-validations'] ?? [],
    );
    expect(rules.length > 0).toBe(!hasNoCel(name));
    for (const { rule, message } of rules) {
      expect(rule.length).toBeGreaterThan(0);
      expect(message).not.toContain('\n');
    }
  });

  it('has status as a subresource, an age column, and the category', () => {
    const { names, versions } = definitionOf(text).spec;
    expect(versions[0]?.subresources).toEqual({ status: {} });
    expect(versions[0]?.additionalPrinterColumns?.at(-1)?.name).toBe('Age');
    expect(names.categories).toContain(isEmissarys(name) ? 'ambassador-crds' : 'cert-manager');
  });
});

it('the CRDs of one cluster take less than 100 KB, those of Emissary less than 30 KB more', () => {
  const size = (chosen: typeof files): number =>
    chosen.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  const withCel = files.filter(([name]) => !hasNoCel(name));
  expect(size(withCel.filter(([name]) => !isEmissarys(name)))).toBeLessThan(100_000);
  expect(size(withCel.filter(([name]) => isEmissarys(name)))).toBeLessThan(30_000);
  expect(size(files)).toBeLessThan(240_000);
});
