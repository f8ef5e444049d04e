import { describe, expect, it } from 'vitest';
import { deleteSecretAnnotation } from '../api/annotations.ts';
import { type Certificate, certificates } from '../api/cert-manager/certificate.ts';
import { findCondition } from '../api/condition.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { aCaIssuer, aCertificate, ready } from './objects.testing.ts';
import { aGround, aWorld, type Ground, namespace, type World } from './world.testing.ts';

const key = (name: string) => ({ namespace, name });
const annotated = { annotations: { [deleteSecretAnnotation]: 'true' } };

async function anIssued(
  annotations?: Record<string, string>,
): Promise<{ readonly ground: Ground; readonly world: World }> {
  const ground = aGround();
  await aCaIssuer(ground);
  const world = await aWorld(ground);
  await ground.store.create(certificates, aCertificate({}, { name: 'site', annotations }));
  await world.until('Ready', ready(ground));
  await world.settle();
  return { ground, world };
}

async function isSecretThereAfterDeletion({ ground, world }: Awaited<ReturnType<typeof anIssued>>) {
  await ground.store.delete(certificates, key('site'));
  await world.settle();
  await ground.store.tidy();
  await world.settle();
  return (await ground.get(secrets, 'site-tls')) !== undefined;
}

async function annotate(
  { store }: Ground,
  value: string | null,
  change?: Partial<Certificate['spec']>,
): Promise<void> {
  const metadata = { annotations: { [deleteSecretAnnotation]: value } };
  await store.mergePatch(certificates, key('site'), { metadata, ...(change && { spec: change }) });
}

describe('postern.dev/delete-secret', () => {
  it.each([
    ['"true" has the Secret deleted with its Certificate', 'true', false],
    ['"false" does not', 'false', true],
    ['any other value does not', 'yes', true],
  ])('%s', async (_, value, isThere) => {
    expect(await isSecretThereAfterDeletion(await anIssued({ [deleteSecretAnnotation]: value }))).toBe(
      isThere,
    );
  });

  it('absent, the Secret stays', async () => {
    expect(await isSecretThereAfterDeletion(await anIssued())).toBe(true);
  });

  it('may come later, and go again; nothing is issued for it', async () => {
    const bed = await anIssued();
    const before = (await bed.ground.get(secrets, 'site-tls'))?.data;
    await annotate(bed.ground, 'true');
    await bed.world.settle();
    const owned = await bed.ground.get(secrets, 'site-tls');
    expect(owned?.metadata.ownerReferences).toMatchObject([{ kind: 'Certificate', name: 'site' }]);
    expect(owned?.data).toEqual(before);
    await annotate(bed.ground, null);
    await bed.world.settle();
    expect((await bed.ground.get(secrets, 'site-tls'))?.metadata.ownerReferences ?? []).toEqual([]);
    expect(await isSecretThereAfterDeletion(bed)).toBe(true);
  });

  it('does not take the Secret from another Certificate that names it; that one has it then', async () => {
    const bed = await anIssued(annotated.annotations);
    await bed.ground.store.create(certificates, aCertificate({}, { name: 'second' }));
    await bed.world.settle();
    expect(await isSecretThereAfterDeletion(bed)).toBe(true);
    await bed.world.until('the other one is Ready', ready(bed.ground, 'second'));
  });

  it('works again when the other Certificate is gone', async () => {
    const bed = await anIssued(annotated.annotations);
    await bed.ground.store.create(certificates, aCertificate({}, { name: 'second' }));
    await bed.world.settle();
    const second = await bed.ground.get(certificates, 'second');
    expect(findCondition(second?.status?.conditions, 'Ready')?.reason).toBe('DuplicateSecretName');
    await bed.ground.store.delete(certificates, key('second'));
    await bed.world.settle();
    expect(await isSecretThereAfterDeletion(bed)).toBe(false);
  });

  it('does not delete a Secret that was left to another Certificate', async () => {
    const bed = await anIssued(annotated.annotations);
    await annotate(bed.ground, 'true', { secretName: 'elsewhere' });
    await bed.ground.store.create(certificates, aCertificate({}, { name: 'second' }));
    await bed.world.until('the other one is Ready', ready(bed.ground, 'second'));
    await bed.world.settle();
    expect((await bed.ground.get(secrets, 'site-tls'))?.metadata.ownerReferences ?? []).toEqual([]);
    expect(await isSecretThereAfterDeletion(bed)).toBe(true);
    expect(await bed.ground.get(secrets, 'elsewhere')).toBeUndefined();
  });

  it('on an Ingress has the Secret deleted with the Ingress', async () => {
    const ground = aGround();
    await aCaIssuer(ground);
    const world = await aWorld(ground);
    await ground.store.create(ingresses, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name: 'front',
        namespace,
        annotations: { 'cert-manager.io/issuer': 'ca', ...annotated.annotations },
      },
      spec: {
        rules: [{ host: 'site.example.com' }],
        tls: [{ hosts: ['site.example.com'], secretName: 'site-tls' }],
      },
    });
    await world.until('Ready', ready(ground, 'site-tls'));
    await world.settle();
    await ground.store.delete(ingresses, key('front'));
    for (let generation = 0; generation < 2; generation++) {
      await ground.store.tidy();
      await world.settle();
    }
    expect(await ground.all(certificates)).toEqual([]);
    expect((await ground.all(secrets)).map(({ metadata }) => metadata.name)).toEqual(['ca-pair']);
  });
});
