import { describe, expect, it } from 'vitest';
import { ingressClassOf } from './ingress-class.ts';

const classOf = (annotation: string | undefined, field: string | undefined) =>
  ingressClassOf({
    metadata: { annotations: annotation === undefined ? {} : { 'kubernetes.io/ingress.class': annotation } },
    spec: { ingressClassName: field },
  });

describe('the class of an Ingress', () => {
  it.each([
    [undefined, undefined, { name: undefined, source: 'none', overruled: undefined }],
    ['', '', { name: undefined, source: 'none', overruled: undefined }],
    [undefined, 'nginx', { name: 'nginx', source: 'field', overruled: undefined }],
    ['postern', undefined, { name: 'postern', source: 'annotation', overruled: undefined }],
    ['postern', 'postern', { name: 'postern', source: 'annotation', overruled: undefined }],
    ['postern', 'nginx', { name: 'postern', source: 'annotation', overruled: 'nginx' }],
    ['', 'nginx', { name: 'nginx', source: 'field', overruled: undefined }],
  ])('annotation %j and field %j', (annotation, field, expected) => {
    expect(classOf(annotation, field)).toEqual(expected);
  });
});
