import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { goDuration, preserved, secretKeySelector, strings } from '../fields.ts';
import { immutable, withRules } from '../rules.ts';
import { structuralSchema } from './structural-schema.ts';

const propertyOf = (schema: z.ZodType) => structuralSchema(z.object({ it: schema })).properties?.['it'];

describe('a zod schema as a structural one', () => {
  it.each<[string, z.ZodType, object]>([
    ['text', z.string().describe('A text.'), { type: 'string', description: 'A text.' }],
    ['an enumeration', z.enum(['A', 'B']), { type: 'string', enum: ['A', 'B'] }],
    ['a 32 bit number', z.int32(), { type: 'integer', format: 'int32' }],
    ['a bounded number', z.int32().min(1).max(99), { type: 'integer', minimum: 1, maximum: 99 }],
    ['a number', z.int(), { type: 'integer' }],
    ['a map', z.record(z.string(), z.string()), { type: 'object', additionalProperties: { type: 'string' } }],
    ['a list', strings(), { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic' }],
    ['what is kept as it is', preserved(), { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }],
    ['a default', z.string().default('a'), { type: 'string', default: 'a' }],
    ['an empty object', z.object({}), { type: 'object' }],
    [
      'what may not change',
      immutable(z.object({ a: z.string() })).describe('It.'),
      {
        type: 'object',
        description: 'It.',
        required: ['a'],
        properties: { a: { type: 'string' } },
        'x-kubernetes-validations': [
          { rule: 'self == oldSelf', message: 'must not be changed: delete the object and create another' },
        ],
      },
    ],
  ])('%s', (_name, schema, expected) => {
    expect(propertyOf(schema)).toEqual(expected);
  });

  it('asks for what is not optional', () => {
    expect(propertyOf(secretKeySelector())?.required).toEqual(['name']);
  });

  it('carries the rules of nested and repeated schemas, with the field in the message', () => {
    const rule = { field: 'a', message: 'must be x', holds: () => true, cel: "self.a == 'x'" };
    const unsaid = { field: '', message: 'no CEL', holds: () => true };
    const schema = withRules(withRules(z.object({ a: z.string() }), rule), unsaid, { ...rule, field: '' });
    expect(propertyOf(z.array(schema))?.items?.['x-kubernetes-validations']).toEqual([
      { rule: "self.a == 'x'", message: 'a must be x' },
      { rule: "self.a == 'x'", message: 'must be x' },
    ]);
  });

  it('writes durations as Go reads them', () => {
    const pattern = new RegExp(propertyOf(goDuration())?.pattern ?? 'x');
    for (const text of ['0', '+0', '1h', '1.5h', '.5h', '1h30m', '-1s', '100µs'])
      expect(text).toMatch(pattern);
    for (const text of ['', '1', 'h', '1d', '1 h', '.h']) expect(text).not.toMatch(pattern);
  });

  it('refuses what a structural schema cannot say', () => {
    expect(() => propertyOf(z.union([z.string(), z.int()]))).toThrow('schema .it: a CRD cannot say anyOf');
    expect(() => propertyOf(z.unknown())).toThrow('schema .it: a CRD needs a type here');
  });
});
