import { expect, it } from 'vitest';
import { configMaps } from '../api/kubernetes/core.ts';
import { keyOf } from '../api/meta.ts';
import { deleteIfThere } from './delete-if-there.ts';
import { anEmbeddedApi } from './embedded/store.testing.ts';
import { KubeError } from './errors.ts';
import type { KubeApi } from './port.ts';

const object = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name: 'a' },
};

const names = async (api: KubeApi): Promise<(string | undefined)[]> =>
  (await api.list(configMaps)).items.map(({ metadata }) => metadata.name);

it('an object is gone, and stays gone', async () => {
  const api = anEmbeddedApi();
  const stored = await api.create(configMaps, object);
  await deleteIfThere(api, configMaps, stored);
  expect(await names(api)).toEqual([]);
  await deleteIfThere(api, configMaps, stored);
});

it('another object of its name stays', async () => {
  const api = anEmbeddedApi();
  const stored = await api.create(configMaps, object);
  await api.delete(configMaps, keyOf(stored));
  await api.create(configMaps, object);
  await deleteIfThere(api, configMaps, stored);
  expect(await names(api)).toEqual(['a']);
});

it('a conflict about this very object is told, so that it is tried again', async () => {
  const store = anEmbeddedApi();
  const stored = await store.create(configMaps, object);
  const busy: KubeApi = {
    ...store,
    delete: () => Promise.reject(new KubeError('KUBE_CONFLICT', 'the object has been modified')),
  };
  await expect(deleteIfThere(busy, configMaps, stored)).rejects.toMatchObject({ code: 'KUBE_CONFLICT' });
});
