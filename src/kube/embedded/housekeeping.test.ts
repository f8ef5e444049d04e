import { describe, expect, it } from 'vitest';
import { configMaps } from '../../api/kubernetes/core.ts';
import { events } from '../../api/kubernetes/event.ts';
import type { KubeObject } from '../../api/meta.ts';
import { manualClock } from '../../core/clock.testing.ts';
import { isKubeError } from '../errors.ts';
import type { WatchEvent } from '../port.ts';
import type { EmbeddedApi } from './open.ts';
import { anEmbeddedApi } from './store.testing.ts';

const minute = 60_000;

function anEvent(name: string) {
  return { metadata: { namespace: 'default', name }, involvedObject: { kind: 'Ingress', name: 'web' } };
}

async function eventNames(api: EmbeddedApi): Promise<string[]> {
  return (await api.list(events)).items.map(object => object.metadata.name ?? '');
}

async function firstOf<T extends KubeObject>(watch: AsyncIterable<WatchEvent<T>>): Promise<string> {
  try {
    for await (const event of watch) return event.type;
    return 'end';
  } catch (thrown) {
    return isKubeError(thrown) ? thrown.code : String(thrown);
  }
}

describe('housekeeping', () => {
  it('drops Events an hour after they were last written', async () => {
    const clock = manualClock();
    const api = anEmbeddedApi({ clock });
    await api.create(events, anEvent('once'));
    const again = await api.create(events, anEvent('again'));
    clock.advance(40 * minute);
    await api.update(events, { ...again, count: 2 });
    clock.advance(19 * minute);
    expect(await eventNames(api)).toEqual(['again', 'once']);
    clock.advance(2 * minute);
    expect(await eventNames(api)).toEqual(['again']);
    clock.advance(60 * minute);
    expect(await eventNames(api)).toEqual([]);
  });

  it('forgets history by age: watches and pages from before are GONE', async () => {
    const clock = manualClock();
    const api = anEmbeddedApi({ clock });
    for (const name of ['a', 'b', 'c']) {
      await api.create(configMaps, { metadata: { namespace: 'default', name } });
    }
    const page = await api.list(configMaps, { limit: 1 });
    const { resourceVersion } = page;
    await api.delete(configMaps, { namespace: 'default', name: 'b' });
    clock.advance(minute);
    const signal = new AbortController().signal;
    const watch = { resourceVersion, timeoutSeconds: 1, signal };
    expect(await firstOf(api.watch(configMaps, watch))).toBe('DELETED');
    const second = await api.list(configMaps, { limit: 1, continue: page.continue });
    expect(second.items.map(object => object.metadata.name)).toEqual(['b']);

    clock.advance(6 * minute);
    expect(await firstOf(api.watch(configMaps, watch))).toBe('KUBE_GONE');
    await expect(api.list(configMaps, { limit: 1, continue: page.continue })).rejects.toMatchObject({
      code: 'KUBE_GONE',
    });
    expect((await api.list(configMaps)).items.map(object => object.metadata.name)).toEqual(['a', 'c']);
  });

  it('does not let the horizon overtake a watch of a quiet resource', async () => {
    const clock = manualClock();
    const api = anEmbeddedApi({ clock, history: { versions: 10, ageMs: minute } });
    const { resourceVersion } = await api.list(configMaps);
    const signal = new AbortController().signal;
    const first = firstOf(api.watch(configMaps, { resourceVersion, timeoutSeconds: 3_600, signal }));
    for (let index = 0; index < 50; index++) await api.create(events, anEvent(`event-${index}`));
    await api.tidy();
    await api.create(configMaps, { metadata: { namespace: 'default', name: 'a' } });
    expect(await first).toBe('ADDED');
  });

  it('sends bookmarks each minute and at the end of a watch', async () => {
    const clock = manualClock();
    const api = anEmbeddedApi({ clock });
    const { resourceVersion } = await api.list(configMaps);
    const signal = new AbortController().signal;
    const told = api.watch(configMaps, { resourceVersion, timeoutSeconds: 90, signal });
    const watch = told[Symbol.asyncIterator]();
    const bookmark = watch.next();
    await api.create(events, anEvent('a'));
    clock.advance(minute);
    expect(await bookmark).toEqual({ done: false, value: { type: 'BOOKMARK', resourceVersion: '1' } });
    const last = watch.next();
    clock.advance(minute / 2);
    expect(await last).toMatchObject({ value: { type: 'BOOKMARK' } });
    expect(await watch.next()).toMatchObject({ done: true });
  });

  it('never gives a version twice, also where all of the history is forgotten', async () => {
    const clock = manualClock();
    const api = anEmbeddedApi({ clock });
    const created = await api.create(configMaps, { metadata: { namespace: 'default', name: 'a' } });
    await api.delete(configMaps, { namespace: 'default', name: 'a' });
    clock.advance(10 * minute);
    const again = await api.create(configMaps, { metadata: { namespace: 'default', name: 'a' } });
    expect(created.metadata.resourceVersion).toBe('1');
    expect(again.metadata.resourceVersion).toBe('3');
  });
});
