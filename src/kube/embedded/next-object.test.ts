import { describe, expect, it } from 'vitest';
import { secrets } from '../../api/kubernetes/secret.ts';
import { type Service, services } from '../../api/kubernetes/service.ts';
import { validateObject } from '../../api/schemas.ts';
import { createdObject, deletedObject, updatedObject } from './next-object.ts';

const nowMs = Date.UTC(2026, 0, 1);

function aStoredService(overrides: Partial<Service['metadata']> = {}): Service {
  const input: Service = {
    metadata: { namespace: 'default', name: 'web', uid: 'sent-by-client', generation: 7, ...overrides },
    spec: { ports: [{ port: 80 }] },
  };
  const created = createdObject(services, input, { nowMs, validate: validateObject }) as Service;
  return { ...created, metadata: { ...created.metadata, resourceVersion: '1' } };
}

describe('what a create makes', () => {
  it('does not take the identity, the generation or the deletion that a client sent', () => {
    const { metadata } = aStoredService({ deletionTimestamp: '2020-01-01T00:00:00Z' });
    expect(metadata.uid).not.toBe('sent-by-client');
    expect(metadata.generation).toBe(1);
    expect(metadata.deletionTimestamp).toBeUndefined();
    expect(metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z');
  });

  it.each([
    ['a version', { name: 'a', resourceVersion: '5' }, 'metadata.resourceVersion'],
    ['no name', {}, 'metadata.name'],
    ['a name that is no DNS label', { name: '9web' }, 'metadata.name'],
    ['a label that is no text', { name: 'a', labels: { a: 1 } }, 'metadata.labels.a'],
    ['a label with a bad value', { name: 'a', labels: { a: 'b c' } }, 'metadata.labels.a'],
    [
      'an annotation with a bad key',
      { name: 'a', annotations: { 'b c': '' } },
      'metadata.annotations["b c"]',
    ],
    ['a bad finalizer', { name: 'a', finalizers: ['b c'] }, 'metadata.finalizers[0]'],
    [
      'an owner without a uid',
      { name: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 'x' }] },
      'metadata.ownerReferences[0].uid',
    ],
  ])('refuses %s and names the field', (_, metadata, field) => {
    const input = { metadata: { namespace: 'default', ...metadata }, spec: { ports: [{ port: 80 }] } };
    const create = () => createdObject(services, input as Service, { nowMs, validate: validateObject });
    expect(create).toThrow(expect.objectContaining({ code: 'KUBE_INVALID' }));
    expect(create).toThrow(field);
  });

  it('shares nothing with the object that came in', () => {
    const data = { key: 'dmFsdWU=' };
    const input = { metadata: { namespace: 'default', name: 'a' }, data };
    const created = createdObject(secrets, input, { nowMs, validate: validateObject });
    data.key = 'changed';
    expect(created).toMatchObject({ data: { key: 'dmFsdWU=' } });
  });
});

describe('what an update makes', () => {
  it('counts generations by the stored spec: a default that is left out is no change', () => {
    const live = aStoredService();
    const outcome = updatedObject(
      services,
      live,
      { ...live, spec: { ports: [{ port: 80 }] } } as Service,
      validateObject,
    );
    expect(outcome).toEqual({ kind: 'unchanged' });
  });

  it('lets a finalizer go from an object that a stricter schema would refuse', () => {
    const live = { ...aStoredService({ finalizers: ['a.example/b'] }), spec: { ports: [{ port: -1 }] } };
    const input = { ...live, metadata: { ...live.metadata, finalizers: [] } };
    expect(updatedObject(services, live, input, validateObject)).toMatchObject({ kind: 'written' });
  });

  it('adds no finalizer to an object that is being deleted', () => {
    const live = aStoredService({ finalizers: ['a.example/b'] });
    const marked = deletedObject(services, live, nowMs);
    if (marked.kind !== 'written') throw new Error('the object should have stayed');
    const deleting = { ...marked.object, metadata: { ...marked.object.metadata, resourceVersion: '2' } };
    expect(deleting.metadata.generation).toBe(2);
    const input = {
      ...deleting,
      metadata: { ...deleting.metadata, finalizers: ['a.example/b', 'c.example/d'] },
    };
    expect(() => updatedObject(services, deleting, input, validateObject)).toThrow('c.example/d');
    expect(deletedObject(services, deleting, nowMs)).toEqual({ kind: 'unchanged' });
  });
});
