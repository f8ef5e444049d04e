import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { keyOf } from '../../api/meta.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { isKubeError } from '../errors.ts';
import { type EmbeddedApi, openEmbeddedApi } from './open.ts';

/** What the store should hold of one object; the simplest thing that could be right. */
interface Model {
  spec: string;
  label: string | undefined;
  status: string | undefined;
  finalizer: boolean;
  deleting: boolean;
  generation: number;
  /** Grows with each change. */
  version: number;
}

type Write =
  | { type: 'create'; name: string; spec: string; finalizer: boolean }
  | { type: 'update'; name: string; spec: string; label: string; stale: boolean }
  | { type: 'status'; name: string; status: string; spec: string; stale: boolean }
  | { type: 'label'; name: string; label: string | null }
  | { type: 'release'; name: string }
  | { type: 'delete'; name: string; stale: boolean }
  | { type: 'reopen' }
  | { type: 'tidy' };

const name = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('x', 'y');
const stale = fc.integer({ min: 0, max: 5 }).map(number => number === 0);
const write: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('create'), name, spec: value, finalizer: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('update'), name, spec: value, label: value, stale }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('status'), name, status: value, spec: value, stale }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('label'), name, label: fc.option(value) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('release'), name }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete'), name, stale }) },
  { weight: 1, arbitrary: fc.constantFrom<Write>({ type: 'reopen' }, { type: 'tidy' }) },
);

function specOf(text: string): NonNullable<Ingress['spec']> {
  return { defaultBackend: { service: { name: text, port: { number: 80 } } } };
}

function statusOf(text: string): Ingress['status'] {
  return { loadBalancer: { ingress: [{ hostname: text }] } };
}

/** Does a write to the model; gives the code that the store should answer with. */
function expectedOf(models: Map<string, Model>, write: Exclude<Write, { type: 'reopen' | 'tidy' }>): string {
  const model = models.get(write.name);
  if (write.type === 'create') {
    if (model !== undefined) return 'KUBE_ALREADY_EXISTS';
    const { spec, finalizer } = write;
    models.set(write.name, {
      spec,
      finalizer,
      label: undefined,
      status: undefined,
      deleting: false,
      generation: 1,
      version: 0,
    });
    return 'success';
  }
  if (model === undefined) return 'KUBE_NOT_FOUND';
  if ('stale' in write && write.stale) return 'KUBE_CONFLICT';
  const before = JSON.stringify(model);
  if (write.type === 'update') {
    if (model.spec !== write.spec) model.generation++;
    Object.assign(model, { spec: write.spec, label: write.label });
  } else if (write.type === 'status') {
    model.status = write.status;
  } else if (write.type === 'label') {
    model.label = write.label ?? undefined;
  } else if (write.type === 'release') {
    model.finalizer = false;
  } else if (model.finalizer && !model.deleting) {
    model.deleting = true;
    model.generation++;
  }
  if ((write.type === 'delete' || model.deleting) && !model.finalizer) models.delete(write.name);
  if (JSON.stringify(model) !== before) model.version++;
  return 'success';
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'success';
  } catch (thrown) {
    if (isKubeError(thrown)) return thrown.code;
    throw thrown;
  }
}

/** Does the same write to the store, from what stands there now. */
async function perform(
  api: EmbeddedApi,
  write: Exclude<Write, { type: 'reopen' | 'tidy' }>,
): Promise<string> {
  const key = { namespace: 'default', name: write.name };
  const live = await api.get(ingresses, key).catch(() => undefined);
  const version = (stale: boolean): string => (stale ? '999999' : (live?.metadata.resourceVersion ?? '1'));
  const metadata = { ...live?.metadata, ...key };
  switch (write.type) {
    case 'create': {
      const finalizers = write.finalizer ? { finalizers: ['a.example/b'] } : {};
      const object = {
        metadata: { ...key, ...finalizers },
        spec: specOf(write.spec),
        status: statusOf('no'),
      };
      return codeOf(api.create(ingresses, object));
    }
    case 'update': {
      const head = { ...metadata, labels: { l: write.label }, resourceVersion: version(write.stale) };
      return codeOf(
        api.update(ingresses, { metadata: head, spec: specOf(write.spec), status: statusOf('no') }),
      );
    }
    case 'status': {
      const head = { ...metadata, labels: { l: 'no' }, resourceVersion: version(write.stale) };
      const object = { metadata: head, spec: specOf(write.spec), status: statusOf(write.status) };
      return codeOf(api.updateStatus(ingresses, object));
    }
    case 'label':
      return codeOf(api.mergePatch(ingresses, key, { metadata: { labels: { l: write.label } } }));
    case 'release':
      return codeOf(api.mergePatch(ingresses, key, { metadata: { finalizers: null } }));
    default:
      return codeOf(api.delete(ingresses, key, write.stale ? { resourceVersion: version(true) } : {}));
  }
}

function viewOf(object: Ingress): Omit<Model, 'version'> {
  const { labels, finalizers, deletionTimestamp, generation } = object.metadata;
  return {
    spec: object.spec?.defaultBackend?.service?.name ?? '',
    label: labels?.['l'],
    status: object.status?.loadBalancer?.ingress?.[0]?.hostname,
    finalizer: finalizers !== undefined,
    deleting: deletionTimestamp !== undefined,
    generation: generation ?? 0,
  };
}

/** What someone knows who has followed a watch from the beginning. */
async function replayed(api: EmbeddedApi, last: string): Promise<Map<string, Ingress>> {
  const known = new Map<string, Ingress>();
  const options = { resourceVersion: '0', timeoutSeconds: 60, signal: new AbortController().signal };
  let version = 0;
  if (last === '0') return known;
  for await (const event of api.watch(ingresses, options)) {
    if (event.type === 'BOOKMARK') continue;
    const { metadata } = event.object;
    const { name } = keyOf(event.object);
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(version);
    version = Number(metadata.resourceVersion);
    expect(known.has(name)).toBe(event.type !== 'ADDED');
    if (event.type === 'DELETED') known.delete(name);
    else known.set(name, event.object);
    if (metadata.resourceVersion === last) break;
  }
  return known;
}

describe('the embedded store', () => {
  it('does what the naive model does, over any sequence of writes and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 40 }), async writes => {
        const stateDir = mkdtempSync(join(tmpdir(), 'postern-model-'));
        const open = (): EmbeddedApi =>
          openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger });
        let api = open();
        try {
          const models = new Map<string, Model>();
          let changes = 0;
          for (const one of writes) {
            if (one.type === 'reopen') {
              await api.close();
              api = open();
            } else if (one.type === 'tidy') {
              await api.tidy();
            } else {
              const before = models.get(one.name)?.version;
              const expected = expectedOf(models, one);
              expect(await perform(api, one), JSON.stringify(one)).toBe(expected);
              if (models.get(one.name)?.version !== before) changes++;
            }
          }
          const { items, resourceVersion } = await api.list(ingresses);
          const seen = items.map(object => [keyOf(object).name, viewOf(object)] as const);
          const wanted = [...models].map(([name, model]) => {
            const { version: _, ...view } = model;
            return [name, view] as const;
          });
          expect(seen).toEqual(wanted.toSorted(([a], [b]) => (a < b ? -1 : 1)));
          // One version for each change, and none for what changed nothing.
          expect(resourceVersion).toBe(String(changes));
          expect(await replayed(api, resourceVersion)).toEqual(
            new Map(items.map(object => [keyOf(object).name, object])),
          );
        } finally {
          await api.close();
          rmSync(stateDir, { recursive: true, force: true });
        }
      }),
      { numRuns: 60 },
    );
  }, 180_000);

  it('shows all pages of a list as it stood at the first one, whatever is written in between', async () => {
    const objectName = fc.integer({ min: 0, max: 11 }).map(number => `object-${number}`);
    const stateDir = mkdtempSync(join(tmpdir(), 'postern-pages-'));
    const api = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger });
    const toggle = async (name: string): Promise<void> => {
      const object: Ingress = { metadata: { namespace: 'default', name }, spec: specOf('x') };
      const created = await codeOf(api.create(ingresses, object));
      if (created !== 'success') await api.delete(ingresses, { namespace: 'default', name });
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(objectName, { maxLength: 4 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        async (batches, limit) => {
          const whole = await api.list(ingresses);
          let page = await api.list(ingresses, { limit });
          const items = [...page.items];
          for (const batch of batches) {
            for (const name of batch) await toggle(name);
            if (page.continue === undefined) break;
            page = await api.list(ingresses, { limit, continue: page.continue });
            items.push(...page.items);
          }
          while (page.continue !== undefined) {
            page = await api.list(ingresses, { limit, continue: page.continue });
            items.push(...page.items);
          }
          expect(items).toEqual(whole.items);
          expect(page.resourceVersion).toBe(whole.resourceVersion);
        },
      ),
      { numRuns: 60 },
    );
    await api.close();
    rmSync(stateDir, { recursive: true, force: true });
  }, 180_000);
});
