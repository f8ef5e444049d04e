import { describe, expect, it } from 'vitest';
import { declarationOf } from './declared-object.ts';

describe('what a document declares', () => {
  it('is the object without what a server adds, in the namespace default where it names none', () => {
    const exported = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name: 'web',
        uid: 'x',
        resourceVersion: '7',
        generation: 2,
        creationTimestamp: null,
        managedFields: [],
        finalizers: ['a/b'],
        ownerReferences: [{}],
        labels: { a: 'b' },
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', c: 'd' },
      },
      spec: { ingressClassName: null, rules: [{ host: 'a.example', http: null }] },
      status: { loadBalancer: {} },
    };
    expect(declarationOf(exported)).toMatchObject({
      kind: 'declared',
      key: { namespace: 'default', name: 'web' },
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'web', namespace: 'default', labels: { a: 'b' }, annotations: { c: 'd' } },
        spec: { rules: [{ host: 'a.example' }] },
      },
    });
    const declaration = declarationOf(exported);
    expect(declaration.kind === 'declared' && Object.keys(declaration.object.metadata).toSorted()).toEqual([
      'annotations',
      'labels',
      'name',
      'namespace',
    ]);
    expect(declaration.kind === 'declared' && 'status' in declaration.object).toBe(false);
  });

  it('has no namespace where the kind has none', () => {
    const document = {
      apiVersion: 'cert-manager.io/v1',
      kind: 'ClusterIssuer',
      metadata: { name: 'ca', namespace: 'x' },
      spec: { selfSigned: {} },
    };
    expect(declarationOf(document)).toMatchObject({ key: { namespace: '', name: 'ca' } });
  });

  it('has the stringData of a Secret in its data', () => {
    const document = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { a: 'YQ==', b: 'Yg==' },
      stringData: { b: 'new' },
    };
    expect(declarationOf(document)).toMatchObject({ object: { data: { a: 'YQ==', b: 'bmV3' } } });
    expect(declarationOf(document)).not.toHaveProperty('object.stringData');
  });

  it.each(['networking.k8s.io/v1beta1', 'extensions/v1beta1'])(
    'is an Ingress of v1 where it is of %s',
    apiVersion => {
      const document = {
        apiVersion,
        kind: 'Ingress',
        metadata: { name: 'old' },
        spec: { backend: { serviceName: 'web', servicePort: 80 } },
      };
      expect(declarationOf(document)).toMatchObject({
        kind: 'declared',
        object: {
          apiVersion: 'networking.k8s.io/v1',
          spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
        },
      });
    },
  );

  it.each([
    ['v1', 'Namespace'],
    ['v1', 'ConfigMap'],
    ['v1', 'ServiceAccount'],
    ['apps/v1', 'Deployment'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
    ['extensions/v1beta1', 'Deployment'],
  ])('is nothing that is needed: %s %s', (apiVersion, kind) => {
    expect(declarationOf({ apiVersion, kind, metadata: { name: 'a' } })).toEqual({
      kind: 'unneeded',
      what: kind,
    });
  });

  it.each([
    [
      'networking.k8s.io/v1',
      'Ingres',
      'kind',
      'Ingres of networking.k8s.io/v1 is not a kind that Postern knows',
    ],
    ['cert-manager.io/v1alpha2', 'Certificate', 'apiVersion', 'write it as cert-manager.io/v1'],
    ['argoproj.io/v1alpha1', 'Rollout', 'kind', 'is not a kind that Postern knows'],
    ['extensions/v1beta1', 'Ingress', 'spec.backend.servicePort', 'is missing'],
  ])('is unusable, with a reason: %s %s', (apiVersion, kind, field, message) => {
    const spec = { backend: { serviceName: 'web' } };
    expect(declarationOf({ apiVersion, kind, metadata: { name: 'a' }, spec })).toEqual({
      kind: 'unusable',
      key: { namespace: 'default', name: 'a' },
      problems: [expect.objectContaining({ field, message: expect.stringContaining(message) as string })],
    });
  });

  it.each([
    ['a text', 'hello', ''],
    ['a list', [], ''],
    ['no kind', { apiVersion: 'v1', metadata: { name: 'a' } }, 'kind'],
    ['no version', { kind: 'Secret', metadata: { name: 'a' } }, 'apiVersion'],
    ['no name', { apiVersion: 'v1', kind: 'Secret', metadata: { generateName: 'a-' } }, 'metadata.name'],
    ['a name that is a number', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 1 } }, 'metadata.name'],
    [
      'a namespace that is a number',
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 1 } },
      'metadata.namespace',
    ],
  ])('cannot be told from %s', (_, content, field) => {
    expect(declarationOf(content)).toMatchObject({ kind: 'unidentified', problem: { field } });
  });
});
