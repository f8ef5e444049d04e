import { describe, expect, it } from 'vitest';
import { parseSelection } from './selector.ts';

const object = {
  type: 'kubernetes.io/tls',
  metadata: {
    namespace: 'shop',
    name: 'web',
    labels: { app: 'web', 'example.com/tier': 'front', empty: '' },
  },
};

describe('selections', () => {
  it.each([
    ['', true],
    ['app', true],
    ['!app', false],
    ['absent', false],
    ['! absent', true],
    ['app=web', true],
    ['app = web , empty=', true],
    ['app==web', true],
    ['app!=web', false],
    ['absent!=web', true],
    ['example.com/tier in (back, front)', true],
    ['example.com/tier notin (back,front)', false],
    ['absent notin (a)', true],
    ['absent in (a)', false],
    ['toString', false],
    ['app=web,!absent,example.com/tier in (front)', true],
  ])('by label %j', (labelSelector, expected) => {
    expect(parseSelection({ labelSelector }).matches(object)).toBe(expected);
  });

  it.each([
    ['metadata.name=web', true],
    ['metadata.name!=web', false],
    ['metadata.namespace==shop,type=kubernetes.io/tls', true],
    ['type=Opaque', false],
  ])('by field %j', (fieldSelector, expected) => {
    expect(parseSelection({ fieldSelector }).matches(object)).toBe(expected);
  });

  it.each([
    { labelSelector: '=broken=' },
    { labelSelector: 'a,,b' },
    { labelSelector: 'a in b' },
    { labelSelector: 'a in (b' },
    { labelSelector: 'a=b c' },
    { fieldSelector: 'spec.nodeName=a' },
    { fieldSelector: 'metadata.name' },
  ])('refuses $labelSelector$fieldSelector', selection => {
    expect(() => parseSelection(selection)).toThrow(expect.objectContaining({ code: 'KUBE_INVALID' }));
  });

  it('knows what the index can answer', () => {
    expect(parseSelection({ fieldSelector: 'metadata.name=a,metadata.namespace=b' })).toMatchObject({
      name: 'a',
      namespace: 'b',
      dependsOnContent: false,
    });
    expect(parseSelection({ labelSelector: 'a=b' }).dependsOnContent).toBe(true);
  });
});
