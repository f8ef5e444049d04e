import { expect, it } from 'vitest';
import { certificates } from '../../api/cert-manager/certificate.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { aGround, aWorld, type Ground, namespace } from '../world.testing.ts';

async function anIngress(ground: Ground, annotations: Record<string, string>): Promise<Ingress> {
  return ground.store.create(ingresses, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace, annotations: { 'cert-manager.io/issuer': 'ca', ...annotations } },
    spec: {
      rules: [{ host: 'a.example.com' }],
      defaultBackend: { service: { name: 'web', port: { number: 80 } } },
      tls: [{ hosts: ['a.example.com'], secretName: 'a-tls' }],
    },
  });
}

const bad = [
  ['alt-names', 'not a name'],
  ['ip-sans', '300.0.0.1'],
  ['uri-sans', 'nowhere'],
  ['email-sans', 'Ops <ops@example.com>'],
  ['subject-organizations', '"open'],
  ['subject-organizationalunits', ''],
  ['subject-countries', ','],
  ['subject-provinces', '"open'],
  ['subject-localities', '"open'],
  ['subject-postalcodes', '"open'],
  ['subject-streetaddresses', '"open'],
  ['duration', '90d'],
  ['renew-before', 'soon'],
  ['renew-before-percentage', '100'],
  ['usages', 'serving'],
  ['revision-history-limit', '0'],
  ['private-key-algorithm', 'DSA'],
  ['private-key-encoding', 'PEM'],
  ['private-key-size', 'big'],
  ['private-key-rotation-policy', 'Sometimes'],
  ['secret-template', 'labels: {}'],
] as const;

it('everything that is wrong is one event, however much it is, and nothing is made until it is mended', async () => {
  const ground = aGround();
  const world = await aWorld(ground);
  const annotations = Object.fromEntries(bad.map(([name, value]) => [`cert-manager.io/${name}`, value]));
  const ingress = await anIngress(ground, annotations);
  await world.settle();
  const [message = '', ...others] = await ground.eventsOf('Ingress', 'web');
  expect(others).toEqual([]);
  for (const [name] of bad) expect(message).toMatch(new RegExp(`\\b${name}\\b`));
  expect(message).toMatch(
    /^BadConfig: cert-manager\.io\/alt-names "not a name" has "not a name": each must be/,
  );
  expect(await ground.all(certificates)).toEqual([]);

  const mended = { ...ingress.metadata, annotations: { 'cert-manager.io/issuer': 'ca' } };
  await ground.store.update(ingresses, { ...ingress, metadata: mended });
  await world.until('the Certificate', () => ground.get(certificates, 'a-tls'));
});

it('an annotation that is changed, then removed, is two updates, each told of', async () => {
  const ground = aGround();
  const world = await aWorld(ground);
  const ingress = await anIngress(ground, { 'cert-manager.io/duration': '48h' });
  await world.settle();
  expect((await ground.get(certificates, 'a-tls'))?.spec.duration).toBe('48h0m0s');
  for (const duration of ['72h', undefined]) {
    const patch = { metadata: { annotations: { 'cert-manager.io/duration': duration ?? null } } };
    await ground.store.mergePatch(ingresses, { namespace, name: ingress.metadata.name ?? '' }, patch);
    await world.settle();
    const expected = duration === undefined ? undefined : '72h0m0s';
    expect((await ground.get(certificates, 'a-tls'))?.spec.duration).toBe(expected);
  }
  const what = ground.writes.map(write => write.what).filter(one => one.endsWith(' Certificate'));
  expect(what).toEqual(['create Certificate', 'update Certificate', 'update Certificate']);
  expect(await ground.eventsOf('Ingress', 'web')).toEqual([
    `CreateCertificate: Made Certificate "${namespace}/a-tls".`,
    `UpdateCertificate: Updated Certificate "${namespace}/a-tls".`,
  ]);
});

it('a Certificate comes before its issuer does, comes back when it is deleted, and goes with its entry', async () => {
  const ground = aGround();
  const world = await aWorld(ground);
  const ingress = await anIngress(ground, {});
  const first = await world.until('the Certificate', () => ground.get(certificates, 'a-tls'));
  await ground.store.delete(certificates, { namespace, name: 'a-tls' });
  await world.until('another Certificate', async () => {
    const found = await ground.get(certificates, 'a-tls');
    return found !== undefined && found.metadata.uid !== first.metadata.uid;
  });
  await ground.store.update(ingresses, { ...ingress, spec: { ...ingress.spec, tls: [] } });
  await world.until('it is gone', async () => (await ground.get(certificates, 'a-tls')) === undefined);
  await world.settle();
  expect(await ground.eventsOf('Ingress', 'web')).toEqual([
    `CreateCertificate: Made Certificate "${namespace}/a-tls".`,
    `DeleteCertificate: Deleted Certificate "${namespace}/a-tls": spec.tls names its Secret no more.`,
  ]);
});
