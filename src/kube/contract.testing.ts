import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject, ObjectKey } from '../api/meta.ts';
import { keyOf } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import type { KubeErrorCode } from './errors.ts';
import { isKubeError } from './errors.ts';
import type { KubeApi, WatchEvent } from './port.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

interface Ingress extends KubeObject {
  spec: { defaultBackend: { service: { name: string; port: { number: number } } } };
  status?: { loadBalancer?: { ingress?: { ip?: string }[] } };
}

interface Certificate extends KubeObject {
  spec: Record<string, unknown>;
  status?: Record<string, unknown>;
}

const core = { group: '', version: 'v1', hasStatus: false } as const;
const namespaces: Resource<KubeObject> = {
  ...core,
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  hasStatus: true,
};
const configMaps: Resource<ConfigMap> = {
  ...core,
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};
const secrets: Resource<Secret> = { ...core, kind: 'Secret', plural: 'secrets', namespaced: true };
const ingresses: Resource<Ingress> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  namespaced: true,
  hasStatus: true,
};
const certificates: Resource<Certificate> = {
  group: 'cert-manager.io',
  version: 'v1',
  kind: 'Certificate',
  plural: 'certificates',
  namespaced: true,
  hasStatus: true,
};
const gadgets: Resource<KubeObject> = {
  group: 'absent.postern.dev',
  version: 'v1',
  kind: 'Gadget',
  plural: 'gadgets',
  namespaced: true,
  hasStatus: false,
};

/** An adapter of the port, ready for use, with the Certificate resource served. */
export interface KubeApiUnderTest {
  readonly api: KubeApi;
  /** Makes the store forget its history of ConfigMaps and gives a version from before that; where it can be done. */
  readonly expiredVersion?: () => Promise<string>;
  close(): Promise<void>;
}

/** Waits for `check` to become true; for what a server does in the background. */
async function eventually(what: string, check: () => Promise<boolean>, limitMs = 45_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** The code of the KubeError that `call` ends with; `'success'` where it does not fail. */
async function codeOf(call: Promise<unknown>): Promise<KubeErrorCode | 'success'> {
  try {
    await call;
    return 'success';
  } catch (thrown) {
    if (isKubeError(thrown)) return thrown.code;
    throw thrown;
  }
}

async function nameOfThrown(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'success';
  } catch (thrown) {
    return thrown instanceof Error ? thrown.name : String(thrown);
  }
}

/** Reads a watch until `count` objects have come, bookmarks aside. */
async function take<T>(events: AsyncIterable<WatchEvent<T>>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) {
    if (event.type === 'BOOKMARK') continue;
    const { metadata } = event.object as KubeObject;
    seen.push(`${event.type} ${metadata.name ?? ''}`);
    if (seen.length === count) break;
  }
  return seen;
}

/**
 * The contract of the `KubeApi` port, as tests. Runs against any adapter, a real API server included; all it
 * makes is in a namespace of its own, which it deletes. `makeApi` is called once.
 */
export function describeKubeApi(name: string, makeApi: () => Promise<KubeApiUnderTest>): void {
  describe(`the KubeApi contract, ${name}`, { timeout: 60_000 }, () => {
    let subject: KubeApiUnderTest | undefined;
    let api: KubeApi;
    let namespace = '';
    let otherNamespace = '';
    let serial = 0;

    beforeAll(async () => {
      subject = await makeApi();
      ({ api } = subject);
      const made = await Promise.all(
        ['a', 'b'].map(() =>
          api.create(namespaces, {
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { generateName: 'contract-' },
          }),
        ),
      );
      namespace = made[0]?.metadata.name ?? '';
      otherNamespace = made[1]?.metadata.name ?? '';
    }, 120_000);

    afterAll(async () => {
      if (subject === undefined) return; // It could not be made.
      await Promise.allSettled(
        [namespace, otherNamespace].map(name => api.delete(namespaces, { namespace: '', name })),
      );
      await subject.close();
    }, 60_000);

    const fresh = (): string => `object-${++serial}`;
    const aConfigMap = (metadata: KubeObject['metadata'] = {}, data?: Record<string, string>): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        namespace,
        ...(metadata.generateName === undefined ? { name: fresh() } : {}),
        ...metadata,
      },
      data: data ?? { colour: 'red' },
    });
    const anIngress = (overrides: Partial<Ingress> = {}): Ingress => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { namespace, name: fresh() },
      spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
      ...overrides,
    });
    const aCertificate = (spec: Record<string, unknown> = {}): Certificate => ({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { namespace, name: fresh() },
      spec: {
        secretName: 'tls',
        dnsNames: ['example.com'],
        issuerRef: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
        ...spec,
      },
    });
    const missing = (): ObjectKey => ({ namespace, name: 'absent' });
    const listVersion = async (): Promise<string> =>
      (await api.list(configMaps, { namespace })).resourceVersion;

    describe('create and get', () => {
      it('stores an object and gives it its identity', async () => {
        const created = await api.create(configMaps, aConfigMap({ labels: { a: 'b' } }));
        expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { colour: 'red' } });
        expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
        expect(created.metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
        expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(created.metadata.labels).toEqual({ a: 'b' });
        expect(await api.get(configMaps, keyOf(created))).toEqual(created);
      });

      it('makes a name from generateName, another one each time', async () => {
        const made = await Promise.all(
          Array.from({ length: 10 }, () =>
            api.create(configMaps, aConfigMap({ generateName: 'generated-' })),
          ),
        );
        const names = made.map(object => object.metadata.name ?? '');
        expect(new Set(names).size).toBe(10);
        for (const name of names) expect(name).toMatch(/^generated-[a-z0-9]{5}$/);
      });

      it('gives a name once', async () => {
        const object = aConfigMap();
        const codes = await Promise.all(
          Array.from({ length: 8 }, () => codeOf(api.create(configMaps, object))),
        );
        expect(codes.filter(code => code === 'success')).toHaveLength(1);
        expect(codes.filter(code => code === 'KUBE_ALREADY_EXISTS')).toHaveLength(7);
      });

      it('keeps the same name in another namespace apart', async () => {
        const here = await api.create(configMaps, aConfigMap({}, { place: 'here' }));
        const there = await api.create(
          configMaps,
          aConfigMap({ name: here.metadata.name, namespace: otherNamespace }, { place: 'there' }),
        );
        expect(there.metadata.uid).not.toBe(here.metadata.uid);
        expect((await api.get(configMaps, keyOf(here))).data).toEqual({ place: 'here' });
        expect((await api.get(configMaps, keyOf(there))).data).toEqual({ place: 'there' });
      });

      it('says NOT_FOUND for an object and for a resource that is not there', async () => {
        expect(await codeOf(api.get(configMaps, missing()))).toBe('KUBE_NOT_FOUND');
        expect(await codeOf(api.get(gadgets, missing()))).toBe('KUBE_NOT_FOUND');
        expect(await codeOf(api.list(gadgets))).toBe('KUBE_NOT_FOUND');
      });

      it('refuses a bad name and says which field it is', async () => {
        const refused = api.create(configMaps, aConfigMap({ name: 'Not_A_Name' }));
        await expect(refused).rejects.toThrow(/metadata\.name/);
        expect(await codeOf(api.create(configMaps, aConfigMap({ name: 'Not_A_Name' })))).toBe('KUBE_INVALID');
      });

      it('refuses a namespaced object without a namespace', async () => {
        expect(await codeOf(api.create(configMaps, aConfigMap({ namespace: undefined })))).toBe(
          'KUBE_INVALID',
        );
      });

      it('refuses an object that its schema refuses and says which field it is', async () => {
        const refused = api.create(certificates, aCertificate({ secretName: undefined }));
        await expect(refused).rejects.toThrow(/spec\.secretName/);
        expect(await codeOf(api.create(certificates, aCertificate({ secretName: undefined })))).toBe(
          'KUBE_INVALID',
        );
      });

      it('folds the stringData of a Secret into its data', async () => {
        const created = await api.create(secrets, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { namespace, name: fresh() },
          stringData: { key: 'value' },
        });
        expect(created.stringData).toBeUndefined();
        expect(created).toMatchObject({
          type: 'Opaque',
          data: { key: Buffer.from('value').toString('base64') },
        });
      });

      it('ends with an AbortError after the signal of the caller', async () => {
        const signal = AbortSignal.abort();
        expect(await nameOfThrown(api.get(configMaps, missing(), signal))).toBe('AbortError');
        expect(await nameOfThrown(api.list(configMaps, { signal }))).toBe('AbortError');
      });
    });

    describe('update', () => {
      it('stores the new object under a greater version', async () => {
        const created = await api.create(configMaps, aConfigMap());
        const updated = await api.update(configMaps, { ...created, data: { colour: 'blue' } });
        expect(updated.data).toEqual({ colour: 'blue' });
        expect(BigInt(updated.metadata.resourceVersion ?? 0)).toBeGreaterThan(
          BigInt(created.metadata.resourceVersion ?? 0),
        );
        expect(updated.metadata.uid).toBe(created.metadata.uid);
        expect(updated.metadata.creationTimestamp).toBe(created.metadata.creationTimestamp);
        expect((await api.get(configMaps, keyOf(created))).data).toEqual({ colour: 'blue' });
      });

      it('lets one of many writers with the same version win', async () => {
        const created = await api.create(configMaps, aConfigMap());
        const codes = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            codeOf(api.update(configMaps, { ...created, data: { writer: String(index) } })),
          ),
        );
        expect(codes.filter(code => code === 'success')).toHaveLength(1);
        expect(codes.filter(code => code === 'KUBE_CONFLICT')).toHaveLength(7);
      });

      it('refuses an update without a version', async () => {
        const created = await api.create(configMaps, aConfigMap());
        const { resourceVersion: _, ...metadata } = created.metadata;
        expect(await codeOf(api.update(configMaps, { ...created, metadata }))).toBe('KUBE_INVALID');
      });

      it('refuses to update another object of the same name', async () => {
        const created = await api.create(configMaps, aConfigMap());
        const metadata = { ...created.metadata, uid: '00000000-0000-0000-0000-000000000000' };
        expect(await codeOf(api.update(configMaps, { ...created, metadata, data: { a: 'b' } }))).toBe(
          'KUBE_CONFLICT',
        );
      });

      it('fails where the object is gone', async () => {
        const created = await api.create(configMaps, aConfigMap());
        await api.delete(configMaps, keyOf(created));
        const code = await codeOf(api.update(configMaps, { ...created, data: { a: 'b' } }));
        // Kubernetes 1.20 looks at the uid first, and finds that it is another one than none.
        expect(['KUBE_NOT_FOUND', 'KUBE_CONFLICT']).toContain(code);
      });

      it('stores nothing where nothing changed', async () => {
        const created = await api.create(configMaps, aConfigMap());
        expect((await api.update(configMaps, created)).metadata.resourceVersion).toBe(
          created.metadata.resourceVersion,
        );
        const patched = await api.mergePatch(configMaps, keyOf(created), { data: { colour: 'red' } });
        expect(patched.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
      });

      it('counts the generation up with the spec alone', async () => {
        const created = await api.create(ingresses, anIngress());
        expect(created.metadata.generation).toBe(1);
        const labelled = await api.update(ingresses, {
          ...created,
          metadata: { ...created.metadata, labels: { a: 'b' } },
        });
        expect(labelled.metadata.generation).toBe(1);
        const respecified = await api.update(ingresses, {
          ...labelled,
          spec: { defaultBackend: { service: { name: 'other', port: { number: 80 } } } },
        });
        expect(respecified.metadata.generation).toBe(2);
        const withStatus = await api.updateStatus(ingresses, {
          ...respecified,
          status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
        });
        expect(withStatus.metadata.generation).toBe(2);
      });
    });

    describe('status', () => {
      const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };

      it('is left out of create and update', async () => {
        const created = await api.create(ingresses, anIngress({ status }));
        expect(created.status?.loadBalancer?.ingress).toBeUndefined();
        const updated = await api.update(ingresses, { ...created, status });
        expect(updated.status?.loadBalancer?.ingress).toBeUndefined();
        expect(updated.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
      });

      it('alone is written by updateStatus', async () => {
        const created = await api.create(ingresses, anIngress());
        const updated = await api.updateStatus(ingresses, {
          ...created,
          spec: { defaultBackend: { service: { name: 'other', port: { number: 80 } } } },
          status,
        });
        expect(updated.status).toEqual(status);
        expect(updated.spec).toEqual(created.spec);
        expect(await codeOf(api.updateStatus(ingresses, { ...created, status: {} }))).toBe('KUBE_CONFLICT');
      });

      it('stays when the object is updated', async () => {
        const created = await api.create(certificates, aCertificate());
        const withStatus = await api.updateStatus(certificates, { ...created, status: { revision: 1 } });
        expect(withStatus.status).toEqual({ revision: 1 });
        const updated = await api.update(certificates, {
          ...withStatus,
          spec: { ...withStatus.spec, dnsNames: ['other.example.com'] },
          status: { revision: 2 },
        });
        expect(updated.status).toEqual({ revision: 1 });
        expect(updated.spec['dnsNames']).toEqual(['other.example.com']);
      });

      it('is reached by a patch of the status alone', async () => {
        const created = await api.create(ingresses, anIngress());
        const spec = { defaultBackend: { service: { name: 'other' } } };
        const unchanged = await api.mergePatch(ingresses, keyOf(created), { status });
        expect(unchanged.status?.loadBalancer?.ingress).toBeUndefined();
        const patched = await api.mergePatch(
          ingresses,
          keyOf(created),
          { spec, status },
          { subresource: 'status' },
        );
        expect(patched.status).toEqual(status);
        expect(patched.spec).toEqual(created.spec);
      });
    });

    describe('mergePatch', () => {
      it('merges as RFC 7386 says', async () => {
        const created = await api.create(
          configMaps,
          aConfigMap({ annotations: { keep: '1', drop: '2' } }, { keep: '1', drop: '2' }),
        );
        const patched = await api.mergePatch(configMaps, keyOf(created), {
          metadata: { annotations: { drop: null, add: '3' } },
          data: { drop: null, add: '3' },
        });
        expect(patched.data).toEqual({ keep: '1', add: '3' });
        expect(patched.metadata.annotations).toEqual({ keep: '1', add: '3' });
        const replaced = await api.create(
          certificates,
          aCertificate({ dnsNames: ['a.example', 'b.example'] }),
        );
        const shorter = await api.mergePatch(certificates, keyOf(replaced), {
          spec: { dnsNames: ['c.example'] },
        });
        expect(shorter.spec['dnsNames']).toEqual(['c.example']);
      });

      it('holds a version in the patch to be the present one', async () => {
        const created = await api.create(configMaps, aConfigMap());
        await api.mergePatch(configMaps, keyOf(created), { data: { colour: 'blue' } });
        const stale = api.mergePatch(configMaps, keyOf(created), {
          metadata: { resourceVersion: created.metadata.resourceVersion },
          data: { colour: 'green' },
        });
        expect(await codeOf(stale)).toBe('KUBE_CONFLICT');
      });

      it('needs an object', async () => {
        expect(await codeOf(api.mergePatch(configMaps, missing(), { data: { a: 'b' } }))).toBe(
          'KUBE_NOT_FOUND',
        );
      });
    });

    describe('delete', () => {
      it('removes the object', async () => {
        const created = await api.create(configMaps, aConfigMap());
        await api.delete(configMaps, keyOf(created));
        expect(await codeOf(api.get(configMaps, keyOf(created)))).toBe('KUBE_NOT_FOUND');
        expect(await codeOf(api.delete(configMaps, keyOf(created)))).toBe('KUBE_NOT_FOUND');
      });

      it('spares another object, or another version, than the one that is meant', async () => {
        const created = await api.create(configMaps, aConfigMap());
        const key = keyOf(created);
        const updated = await api.update(configMaps, { ...created, data: { colour: 'blue' } });
        const otherUid = '00000000-0000-0000-0000-000000000000';
        expect(await codeOf(api.delete(configMaps, key, { uid: otherUid }))).toBe('KUBE_CONFLICT');
        const oldVersion = created.metadata.resourceVersion;
        expect(await codeOf(api.delete(configMaps, key, { resourceVersion: oldVersion }))).toBe(
          'KUBE_CONFLICT',
        );
        const { uid, resourceVersion } = updated.metadata;
        await api.delete(configMaps, key, { uid, resourceVersion });
        expect(await codeOf(api.get(configMaps, key))).toBe('KUBE_NOT_FOUND');
      });

      it.each(['update', 'mergePatch'] as const)(
        'waits for the finalizers, the last of which goes by %s',
        async verb => {
          const created = await api.create(configMaps, aConfigMap({ finalizers: ['postern.dev/contract'] }));
          const key = keyOf(created);
          await api.delete(configMaps, key);
          await api.delete(configMaps, key);
          const deleting = await api.get(configMaps, key);
          expect(deleting.metadata.deletionTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
          if (verb === 'update') {
            await api.update(configMaps, { ...deleting, metadata: { ...deleting.metadata, finalizers: [] } });
          } else {
            await api.mergePatch(configMaps, key, { metadata: { finalizers: null } });
          }
          expect(await codeOf(api.get(configMaps, key))).toBe('KUBE_NOT_FOUND');
        },
      );

      it('collects what the object owned', async () => {
        const owner = await api.create(configMaps, aConfigMap());
        const reference = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: owner.metadata.name ?? '',
          uid: owner.metadata.uid ?? '',
        };
        const owned = await api.create(configMaps, aConfigMap({ ownerReferences: [reference] }));
        const bystander = await api.create(configMaps, aConfigMap());
        await api.delete(configMaps, keyOf(owner));
        await eventually(
          'the owned object is collected',
          async () => (await codeOf(api.get(configMaps, keyOf(owned)))) === 'KUBE_NOT_FOUND',
        );
        expect(await codeOf(api.get(configMaps, keyOf(bystander)))).toBe('success');
      });
    });

    describe('list', () => {
      const names = async (options: Parameters<KubeApi['list']>[1]): Promise<string[]> =>
        (await api.list(configMaps, options)).items.map(object => object.metadata.name ?? '').toSorted();

      it('pages through all objects, each of them once', async () => {
        const labels = { suite: 'pages' };
        const created = await Promise.all(
          Array.from({ length: 7 }, () => api.create(configMaps, aConfigMap({ labels }))),
        );
        const seen: ConfigMap[] = [];
        let next: string | undefined;
        let pages = 0;
        do {
          const page = await api.list(configMaps, { namespace, limit: 3, continue: next });
          expect(page.items.length).toBeLessThanOrEqual(3);
          expect(page.resourceVersion).toMatch(/^[1-9]\d*$/);
          seen.push(...page.items);
          next = page.continue;
          pages++;
        } while (next !== undefined && pages < 500);
        const mine = seen.filter(object => object.metadata.labels?.['suite'] === 'pages');
        expect(new Set(mine.map(object => object.metadata.name))).toEqual(
          new Set(created.map(object => object.metadata.name)),
        );
        expect(new Set(seen.map(object => object.metadata.uid)).size).toBe(seen.length);
        for (const object of seen) expect(object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
      });

      it('gives a version that is not before any object in it', async () => {
        const created = await api.create(configMaps, aConfigMap());
        const { resourceVersion, items } = await api.list(configMaps, { namespace });
        expect(BigInt(resourceVersion)).toBeGreaterThanOrEqual(BigInt(created.metadata.resourceVersion ?? 0));
        expect(items.find(object => object.metadata.uid === created.metadata.uid)).toEqual(created);
      });

      it('selects by namespace', async () => {
        const here = await api.create(configMaps, aConfigMap());
        const there = await api.create(configMaps, aConfigMap({ namespace: otherNamespace }));
        const [mine, others, all] = [
          await names({ namespace }),
          await names({ namespace: otherNamespace }),
          await names({}),
        ];
        expect(mine).toContain(here.metadata.name);
        expect(mine).not.toContain(there.metadata.name);
        expect(others).toContain(there.metadata.name);
        expect(all).toEqual(expect.arrayContaining([here.metadata.name, there.metadata.name]));
      });

      it('selects by label', async () => {
        const sets: Record<string, Record<string, string>> = {
          one: { suite: 'labels', tier: 'front' },
          two: { suite: 'labels', tier: 'back', 'example.com/extra': 'yes' },
          three: { suite: 'labels' },
        };
        for (const [name, labels] of Object.entries(sets)) {
          await api.create(configMaps, aConfigMap({ name: `label-${name}`, labels }));
        }
        const cases: readonly (readonly [string, readonly string[]])[] = [
          ['tier=front', ['one']],
          ['tier==back', ['two']],
          ['suite=labels,tier!=front', ['two', 'three']],
          ['suite=labels,!tier', ['three']],
          ['suite=labels,tier', ['one', 'two']],
          ['tier in (front, back)', ['one', 'two']],
          ['suite=labels,tier notin (front)', ['two', 'three']],
          ['example.com/extra=yes', ['two']],
          ['suite=labels,tier=nobody', []],
        ];
        for (const [labelSelector, expected] of cases) {
          expect(await names({ namespace, labelSelector }), labelSelector).toEqual(
            expected.map(name => `label-${name}`).toSorted(),
          );
        }
        expect(await codeOf(api.list(configMaps, { namespace, labelSelector: '=broken=' }))).toBe(
          'KUBE_INVALID',
        );
      });

      it('selects by field', async () => {
        const object = await api.create(configMaps, aConfigMap());
        const name = object.metadata.name ?? '';
        expect(await names({ namespace, fieldSelector: `metadata.name=${name}` })).toEqual([name]);
        const both = `metadata.name=${name},metadata.namespace=${namespace}`;
        expect(await names({ fieldSelector: both })).toEqual([name]);
        expect(
          await names({ fieldSelector: `metadata.name=${name},metadata.namespace=${otherNamespace}` }),
        ).toEqual([]);
        const secret = (type: string): Secret => ({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { namespace, name: fresh() },
          type,
        });
        const special = await api.create(secrets, secret('postern.dev/contract'));
        await api.create(secrets, secret('Opaque'));
        const found = await api.list(secrets, { namespace, fieldSelector: 'type=postern.dev/contract' });
        expect(found.items.map(object => object.metadata.name)).toEqual([special.metadata.name]);
      });
    });

    describe('watch', () => {
      const follow = (
        resourceVersion: string,
        options: Partial<Parameters<KubeApi['watch']>[1]> = {},
      ): AsyncIterable<WatchEvent<ConfigMap>> =>
        api.watch(configMaps, {
          namespace,
          resourceVersion,
          timeoutSeconds: 30,
          signal: AbortSignal.timeout(30_000),
          ...options,
        });

      it('tells every change after its version, in order, and nothing from before', async () => {
        await api.create(configMaps, aConfigMap());
        const from = await listVersion();
        const created = await api.create(configMaps, aConfigMap());
        const events = take(follow(from), 4);
        const updated = await api.update(configMaps, { ...created, data: { colour: 'blue' } });
        await api.update(configMaps, updated);
        await api.delete(configMaps, keyOf(created));
        const other = await api.create(configMaps, aConfigMap());
        const name = created.metadata.name ?? '';
        expect(await events).toEqual([
          `ADDED ${name}`,
          `MODIFIED ${name}`,
          `DELETED ${name}`,
          `ADDED ${other.metadata.name ?? ''}`,
        ]);
      });

      it('carries whole objects, under versions that grow', async () => {
        const from = await listVersion();
        const created = await api.create(configMaps, aConfigMap());
        await api.update(configMaps, { ...created, data: { colour: 'blue' } });
        await api.delete(configMaps, keyOf(created));
        const objects: ConfigMap[] = [];
        for await (const event of follow(from)) {
          if (event.type === 'BOOKMARK') continue;
          objects.push(event.object);
          if (event.type === 'DELETED') break;
        }
        expect(objects[0]).toEqual(created);
        expect(objects.map(object => object.data?.['colour'])).toEqual(['red', 'blue', 'blue']);
        const versions = objects.map(object => BigInt(object.metadata.resourceVersion ?? 0));
        expect(versions.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(versions);
        expect(new Set(versions).size).toBe(3);
      });

      it('goes on from any version that was seen', async () => {
        const from = await listVersion();
        const objects = [await api.create(configMaps, aConfigMap())];
        objects.push(await api.create(configMaps, aConfigMap()));
        expect(await take(follow(objects[0]?.metadata.resourceVersion ?? ''), 1)).toEqual([
          `ADDED ${objects[1]?.metadata.name ?? ''}`,
        ]);
        expect(await take(follow(from), 2)).toEqual(
          objects.map(object => `ADDED ${object.metadata.name ?? ''}`),
        );
      });

      it('tells a write with finalizers left as a change, and the last one as the removal', async () => {
        const from = await listVersion();
        const created = await api.create(configMaps, aConfigMap({ finalizers: ['postern.dev/contract'] }));
        await api.delete(configMaps, keyOf(created));
        await api.mergePatch(configMaps, keyOf(created), { metadata: { finalizers: null } });
        const name = created.metadata.name ?? '';
        expect(await take(follow(from), 3)).toEqual([`ADDED ${name}`, `MODIFIED ${name}`, `DELETED ${name}`]);
      });

      it('tells of its namespace alone', async () => {
        const from = await listVersion();
        await api.create(configMaps, aConfigMap({ namespace: otherNamespace }));
        const mine = await api.create(configMaps, aConfigMap());
        expect(await take(follow(from), 1)).toEqual([`ADDED ${mine.metadata.name ?? ''}`]);
      });

      it('tells what comes into and goes out of a selector', async () => {
        const from = await listVersion();
        const events = take(follow(from, { labelSelector: 'watched=yes' }), 3);
        const created = await api.create(configMaps, aConfigMap());
        const key = keyOf(created);
        await api.mergePatch(configMaps, key, { metadata: { labels: { watched: 'yes' } } });
        await api.mergePatch(configMaps, key, { data: { colour: 'blue' } });
        await api.mergePatch(configMaps, key, { metadata: { labels: null } });
        expect(await events).toEqual([`ADDED ${key.name}`, `MODIFIED ${key.name}`, `DELETED ${key.name}`]);
      });

      it('selects one object by its name', async () => {
        const from = await listVersion();
        const name = fresh();
        const events = take(follow(from, { fieldSelector: `metadata.name=${name}` }), 1);
        await api.create(configMaps, aConfigMap());
        await api.create(configMaps, aConfigMap({ name }));
        expect(await events).toEqual([`ADDED ${name}`]);
      });

      it('ends cleanly at its time limit', async () => {
        const from = await listVersion();
        const started = Date.now();
        expect(await take(follow(from, { timeoutSeconds: 1 }), 1)).toEqual([]);
        expect(Date.now() - started).toBeGreaterThanOrEqual(900);
      });

      it('ends with an AbortError after the signal of the caller', async () => {
        const controller = new AbortController();
        const events = take(follow(await listVersion(), { signal: controller.signal }), 1);
        setTimeout(() => controller.abort(), 100);
        expect(await nameOfThrown(events)).toBe('AbortError');
        expect(await nameOfThrown(take(follow('1', { signal: AbortSignal.abort() }), 1))).toBe('AbortError');
      });

      it('can be left at any event', async () => {
        const from = await listVersion();
        await api.create(configMaps, aConfigMap());
        await Promise.all(Array.from({ length: 20 }, () => take(follow(from), 1)));
        expect(await codeOf(api.list(configMaps, { namespace, limit: 1 }))).toBe('success');
      });

      it('says GONE where the version is too old to go on from', async ({ skip }) => {
        skip(subject?.expiredVersion === undefined, 'this store cannot be made to forget');
        const resourceVersion = (await subject?.expiredVersion?.()) ?? '';
        expect(await codeOf(take(follow(resourceVersion), 1))).toBe('KUBE_GONE');
      });

      it('says NOT_FOUND for a resource that is not there', async () => {
        const events = api.watch(gadgets, {
          resourceVersion: '1',
          timeoutSeconds: 5,
          signal: AbortSignal.timeout(5_000),
        });
        expect(await codeOf(take(events, 1))).toBe('KUBE_NOT_FOUND');
      });
    });

    it('knows what is served', async () => {
      expect(await api.serves(ingresses)).toBe(true);
      expect(await api.serves(configMaps)).toBe(true);
      expect(await api.serves(certificates)).toBe(true);
      expect(await api.serves(gadgets)).toBe(false);
      expect(await api.serves({ ...ingresses, version: 'v9' })).toBe(false);
      expect(await api.serves({ ...configMaps, plural: 'absents', kind: 'Absent' })).toBe(false);
    });
  });
}
