import { expect, it } from 'vitest';
import { mappings } from '../api/getambassador/mapping.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { services } from '../api/kubernetes/service.ts';
import { commandLine } from '../cli/program.testing.ts';
import { anIngress, aSecret, aService } from '../edge/compile/builders.testing.ts';
import { aMapping } from '../edge/compile/mappings.testing.ts';
import { anEmbeddedApi } from '../kube/embedded/store.testing.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { edgeRemarks } from './edge-remarks.ts';

async function aWorld(): Promise<KubeApi> {
  const api = anEmbeddedApi();
  await api.create(services, aService());
  const annotations = { 'nginx.ingress.kubernetes.io/backend-protocol': 'FCGI' };
  const { metadata, ...rest } = anIngress({
    annotations,
    rules: { 'a.example': [['/', 'Prefix']] },
    tls: [{ hosts: ['a.example'], secretName: 'bad' }],
  });
  await api.create(ingresses, {
    ...rest,
    metadata: { ...metadata, uid: undefined, creationTimestamp: undefined },
  });
  const mapping = aMapping({ prefix: '/', service: 'gone' }, 'lost');
  await api.create(mappings, { ...mapping, metadata: { name: 'lost', namespace: 'default' } });
  await api.create(secrets, { ...aSecret('bad', { 'tls.crt': 'nonsense' }), type: 'Opaque' });
  return api;
}

const options = { namespace: undefined, standalone: true, ingressClasses: [], nowMs: Date.UTC(2026, 0, 1) };

it('postern status says what the edge says, of Secrets and Services as they are', async () => {
  const api = await aWorld();
  const remarks = await edgeRemarks(api, options);
  expect(remarks.map(({ kind, name, reason }) => `${kind} ${name} ${reason}`)).toEqual([
    'Ingress site AnnotationInvalid',
    'Ingress site SecretInvalid',
    'Mapping lost ServiceNotFound',
  ]);
  const run = await commandLine(['status', '--state-dir', 's'], { api, edgeRemarks });
  const [, edge] = run.stdout.split('\nAt the edge:\n');
  expect(edge).toMatch(
    /^Ingress default\/site:\n {2}nginx\.ingress\.kubernetes\.io\/backend-protocol is "FCGI"/,
  );
  expect(edge).toContain('Mapping default/lost:\n  Service "default/gone"');
  const json = await commandLine(['status', '--state-dir', 's', '-o', 'json'], { api, edgeRemarks });
  expect((JSON.parse(json.stdout) as { edge: unknown }).edge).toEqual(remarks);
});

it('who may not read Secrets is told nothing of them', async () => {
  const api = await aWorld();
  const forbidden = (): Promise<never> => Promise.reject(new KubeError('KUBE_FORBIDDEN', 'no'));
  const blind: KubeApi = {
    ...api,
    get: (resource, key) => (resource.kind === 'Secret' ? forbidden() : api.get(resource, key)),
  };
  expect((await edgeRemarks(blind, options)).map(({ reason }) => reason)).toEqual([
    'AnnotationInvalid',
    'ServiceNotFound',
  ]);
});
