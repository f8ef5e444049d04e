import { expect, it } from 'vitest';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { aCertificate } from '../objects.testing.ts';
import { wakeUpsOf } from '../wake-ups.testing.ts';
import { namespace } from '../world.testing.ts';
import { ingressShim } from './index.ts';

const defaults = {
  issuer: { name: '', kind: 'Issuer', group: 'cert-manager.io' },
  autoCertificateAnnotations: ['kubernetes.io/tls-acme'],
  extraCertificateAnnotations: [],
};
const anIngress = (name: string, annotations: Record<string, string>): Ingress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace, annotations },
  spec: {
    defaultBackend: { service: { name: 'web', port: { number: 80 } } },
    tls: [{ hosts: ['a.example.com'], secretName: 'a-tls' }],
  },
});
const at = (name: string) => ({ namespace, name });
const watched = () => wakeUpsOf(context => ingressShim(context, defaults));

it('an Ingress counts while it asks for a certificate', async () => {
  const { store, by } = await watched();
  const annotate = (annotation: string, value: string | null) => () =>
    store.mergePatch(ingresses, at('web'), { metadata: { annotations: { [annotation]: value } } });
  expect(await by(() => store.create(ingresses, anIngress('web', {})))).toEqual([]);
  expect(await by(annotate('cert-manager.io/issuer', 'ca'))).toEqual([`${namespace}/web`]);
  expect(await by(annotate('cert-manager.io/duration', '48h'))).toEqual([`${namespace}/web`]);
  expect(await by(annotate('cert-manager.io/issuer', null))).toEqual([]);
  expect(await by(annotate('kubernetes.io/tls-acme', 'true'))).toEqual([`${namespace}/web`]);
  expect(await by(() => store.delete(ingresses, at('web')))).toEqual([]);
});

it('a Certificate counts for whom it is made of and for whom it has the name, whatever of it changes but its status', async () => {
  const { store, by } = await watched();
  const owner = await store.create(ingresses, anIngress('owner', { 'cert-manager.io/issuer': 'ca' }));
  await store.create(ingresses, anIngress('waiting', { 'cert-manager.io/issuer': 'ca' }));
  const both = [`${namespace}/owner`, `${namespace}/waiting`];
  const certificate = aCertificate(
    {},
    {
      name: 'a-tls',
      ownerReferences: [
        {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          name: 'owner',
          uid: owner.metadata.uid ?? '',
          controller: true,
        },
      ],
    },
  );
  const patch = (change: object) => () => store.mergePatch(certificates, at('a-tls'), change);
  expect(await by(() => store.create(certificates, certificate))).toEqual(both);
  expect(
    await by(async () => {
      const found = await store.get<Certificate>(certificates, at('a-tls'));
      await store.updateStatus(certificates, { ...found, status: { revision: 1 } });
    }),
  ).toEqual([]);
  expect(await by(patch({ spec: { dnsNames: ['b.example.com'] } }))).toEqual(both);
  expect(await by(patch({ metadata: { labels: { a: 'b' } } }))).toEqual(both);
  expect(await by(() => store.delete(certificates, at('a-tls')))).toEqual(both);
});
