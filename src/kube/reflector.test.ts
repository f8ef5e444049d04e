import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configMaps } from '../api/kubernetes/core.ts';
import { manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { type Caches, createCaches } from './caches.ts';
import { createClusterApi } from './cluster/cluster-api.ts';
import {
  aConfigMap,
  bookmark,
  endedStream,
  failure,
  hangUp,
  line,
  list,
  type Reply,
  type ScriptedServer,
  startScriptedServer,
  statusObject,
  stream,
} from './cluster/scripted-server.testing.ts';
import type { KubeApi } from './port.ts';
import { type HurriedClock, hurriedClock } from './reflector.testing.ts';

let server: ScriptedServer;
let clock: HurriedClock;
let caches: Caches;
const controller = { current: new AbortController() };
const open: { close(): void }[] = [];

beforeEach(async () => {
  server = await startScriptedServer();
  clock = hurriedClock();
  controller.current = new AbortController();
});

afterEach(async () => {
  controller.current.abort();
  for (const api of open.splice(0)) api.close();
  await server.close();
});

/** Follows the ConfigMaps of the scripted server; notes every change that the cache tells. */
function follow(kubeconfigPath = server.kubeconfig()) {
  const api = createClusterApi({ kubeconfigPath, logger: silentLogger, userAgent: 'test' });
  open.push(api);
  // A random number of 1 makes every jittered wait the longest one.
  caches = createCaches({ api, clock, logger: silentLogger, random: () => 1 });
  const cache = caches.cacheOf(configMaps);
  const changes: string[] = [];
  cache.onChange(({ before, after }) => {
    const name = (after ?? before)?.metadata.name ?? '';
    const at = (object: typeof after): string => object?.metadata.resourceVersion ?? '-';
    changes.push(`${name} ${at(before)}>${at(after)}`);
  });
  caches.start(controller.current.signal);
  const content = (): string[] =>
    cache.list().map(({ metadata }) => `${metadata.name ?? ''}@${metadata.resourceVersion ?? ''}`);
  return { cache, changes, content };
}

const one = aConfigMap('one', '3');
const two = aConfigMap('two', '4');
const status = (): ReturnType<Caches['status']>[number] | undefined => caches.status()[0];

/** The waits before something was tried again. */
const pauses = (): readonly number[] => clock.waits;

describe('a reflector', () => {
  it('lists, is synced, and follows the watch', async () => {
    const { promise: held, resolve: hold } = Promise.withResolvers<(text: string) => void>();
    server.reply(list([one, two], '5'), (request, response) => {
      stream()(request, response);
      hold(text => void response.write(text));
    });
    const { cache, changes, content } = follow();
    expect(cache.isSynced).toBe(false);
    await caches.synced;
    expect(content()).toEqual(['one@3', 'two@4']);
    const tell = await held;
    tell(line('MODIFIED', aConfigMap('one', '6')) + line('DELETED', aConfigMap('two', '7')));
    tell(line('ADDED', aConfigMap('three', '8')));
    await vi.waitFor(() => expect(content()).toEqual(['one@6', 'three@8']));
    expect(changes).toEqual(['one ->3', 'two ->4', 'one 3>6', 'two 4>-', 'three ->8']);
    expect(status()).toMatchObject({ synced: true, relists: 0, lastError: undefined, objects: 2 });
    expect(server.requests[1]?.query).toMatchObject({ resourceVersion: '5', timeoutSeconds: '300' });
  });

  it('keeps objects frozen, without managedFields', async () => {
    const object = { ...one, metadata: { ...one.metadata, managedFields: [{ manager: 'x' }] } };
    server.reply(list([object], '5'));
    const { cache } = follow();
    await caches.synced;
    const kept = cache.list()[0];
    expect(kept).toEqual(one);
    expect(Object.isFrozen(kept?.metadata)).toBe(true);
    expect(Object.isFrozen(kept?.data)).toBe(true);
  });

  it('reads the list in pages', async () => {
    server.reply(list([one], '5', 'more'), list([two], '5'));
    const { content } = follow();
    await caches.synced;
    expect(content()).toEqual(['one@3', 'two@4']);
    expect(server.requests.slice(0, 2).map(({ query }) => query)).toEqual([
      { limit: '500' },
      { limit: '500', continue: 'more' },
    ]);
  });

  it('asks for the next page before it prepares the one that is there', async () => {
    const story: string[] = [];
    const pages = [
      { items: [aConfigMap('one', '3')], resourceVersion: '5', continue: 'more' },
      { items: [aConfigMap('two', '4')], resourceVersion: '5', continue: undefined },
    ];
    const api = createClusterApi({
      kubeconfigPath: server.kubeconfig(),
      logger: silentLogger,
      userAgent: 'test',
    });
    open.push(api);
    const list = async ({ plural }: { readonly plural: string }): Promise<unknown> => {
      story.push(`list ${plural}`);
      return pages.shift();
    };
    caches = createCaches({ api: { ...api, list: list as KubeApi['list'] }, clock, logger: silentLogger });
    caches.cacheOf(configMaps, {
      transform: object => {
        story.push(object.metadata.name ?? '');
        return object;
      },
    });
    caches.start(controller.current.signal);
    await caches.synced;
    expect(story).toEqual(['list configmaps', 'list configmaps', 'one', 'two']);
  });

  it('reads everything at once where the token of a page has expired', async () => {
    server.reply(list([one], '5', 'more'), failure(410, 'Expired'), list([two], '9'));
    const { content } = follow();
    await caches.synced;
    expect(content()).toEqual(['two@4']);
    expect(server.requests[2]?.query).toEqual({});
    expect(pauses()).toEqual([]);
  });

  it('watches again at once, from where it was, when a watch ends cleanly', async () => {
    server.reply(
      list([one], '5'),
      endedStream(line('MODIFIED', aConfigMap('one', '6'))),
      endedStream(bookmark('9')),
      stream(line('MODIFIED', aConfigMap('one', '10'))),
    );
    const { content } = follow();
    await vi.waitFor(() => expect(content()).toEqual(['one@10']));
    expect(server.requests.slice(1).map(({ query }) => query['resourceVersion'])).toEqual(['5', '6', '9']);
    expect(pauses()).toEqual([]);
    expect(status()?.relists).toBe(0);
  });

  it('slows down where watches end at once and bring nothing', async () => {
    const empty = Array.from({ length: 12 }, () => endedStream());
    server.reply(list([one], '5'), ...empty, stream(line('MODIFIED', aConfigMap('one', '6'))));
    const { content } = follow();
    await vi.waitFor(() => expect(content()).toEqual(['one@6']));
    expect(pauses()).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000, 20000, 20000]);
  });

  it.each<[string, Reply]>([
    ['a status', failure(410, 'Expired')],
    ['an event in the stream', stream(line('ERROR', statusObject(410, 'Expired')))],
    ['a version that went back', stream(bookmark('2'))],
  ])('lists again after 410 by %s, and tells what it missed', async (_, gone) => {
    server.reply(list([one, two], '5'), gone, list([two, aConfigMap('three', '7')], '9'), stream());
    const { cache, changes, content } = follow();
    let empty = false;
    cache.onChange(() => {
      empty ||= cache.list().length === 0;
    });
    await vi.waitFor(() => expect(content()).toEqual(['two@4', 'three@7']));
    // What was there already is told again, as it may have been missed.
    expect(changes).toEqual(['one ->3', 'two ->4', 'two 4>4', 'three ->7', 'one 3>-']);
    expect(empty).toBe(false);
    expect(cache.isSynced).toBe(true);
    expect(status()?.relists).toBe(1);
    expect(pauses()).toEqual([]);
  });

  it('lists at once when a server that was away is back and says 410', async () => {
    const away = failure(503, 'ServiceUnavailable');
    server.reply(
      list([one], '5'),
      ...[away, away, away, failure(410, 'Expired')],
      list([two], '9'),
      stream(),
    );
    const { content } = follow();
    await vi.waitFor(() => expect(content()).toEqual(['two@4']));
    expect(pauses()).toEqual([250, 500, 1000]);
  });

  it('slows down where every list is gone again', async () => {
    const gone = failure(410, 'Expired');
    server.reply(list([one], '5'), gone, gone, gone, gone, list([two], '9'), stream());
    const { content } = follow();
    await vi.waitFor(() => expect(content()).toEqual(['two@4']));
    expect(pauses()).toEqual([500, 1000, 2000]);
  });

  it('waits as long as Retry-After says', async () => {
    const busy = failure(429, 'TooManyRequests', { 'Retry-After': '7' });
    server.reply(busy, list([one], '5'), busy, stream(line('MODIFIED', aConfigMap('one', '6'))));
    const { content } = follow();
    await vi.waitFor(() => expect(content()).toEqual(['one@6']));
    expect(pauses()).toEqual([7_250, 7_250]);
    expect(status()?.relists).toBe(0);
  });

  it.each<[string, Reply, number?]>([
    ['500', failure(500, 'InternalError')],
    ['503', failure(503, 'ServiceUnavailable')],
    ['408', failure(408, 'Timeout')],
    ['404, as before a CRD is there', failure(404, 'NotFound')],
    ['403', failure(403, 'Forbidden')],
    ['401', failure(401, 'Unauthorized')],
    // The first one is a connection that was idle: a read on it is tried once more at once.
    ['a connection that breaks', hangUp, 11],
    ['an answer that is garbage', stream('<html>\n')],
    ['a stream that breaks', endedStream('{"type":"ADDED","obj')],
  ])('tries for ever after %s, ever slower, and keeps what it has', async (_, fault, count = 10) => {
    const faults = Array.from({ length: count }, () => fault);
    server.reply(list([one], '5'), ...faults, stream(line('MODIFIED', aConfigMap('one', '6'))));
    const { changes, content } = follow();
    await vi.waitFor(() => expect(content()).toEqual(['one@6']), { timeout: 5_000 });
    expect(pauses()).toEqual([250, 500, 1000, 2000, 4000, 8000, 16000, 20000, 20000, 20000]);
    expect(changes).toEqual(['one ->3', 'one 3>6']);
    expect(status()?.relists).toBe(0);
  });

  it('begins with short waits again once a watch has worked', async () => {
    const bad = failure(500, 'InternalError');
    server.reply(list([one], '5'), bad, bad, endedStream(bookmark('6')), bad, stream(bookmark('7')));
    follow();
    await vi.waitFor(() => expect(server.requests).toHaveLength(6));
    expect(pauses()).toEqual([250, 500, 250]);
  });

  it('says what is wrong while it is, for readiness', async () => {
    server.always(failure(403, 'Forbidden'));
    const { cache } = follow();
    await vi.waitFor(() => expect(status()?.lastError?.code).toBe('KUBE_FORBIDDEN'));
    expect(status()).toMatchObject({ synced: false, lastContact: undefined, resource: 'configmaps' });
    expect(status()?.lastError?.message).toContain('list configmaps');
    const since = status()?.lastError?.since;
    await vi.waitFor(() => expect(status()?.lastError?.at).toBeGreaterThan(since ?? Number.NaN));
    expect(status()?.lastError?.since).toBe(since);
    server.always((request, response) =>
      (request.query['watch'] === 'true' ? stream(bookmark('6')) : list([one], '5'))(request, response),
    );
    await caches.synced;
    expect(cache.isSynced).toBe(true);
    expect(status()?.lastError).toBeUndefined();
    expect(status()?.lastContact).toBe(clock.now());
  });

  it('takes a token that was rotated', async () => {
    const token = join(server.folder, 'token');
    writeFileSync(token, 'old');
    const good: Reply = (request, response) =>
      (request.query['watch'] === 'true' ? stream(bookmark('6')) : list([one], '5'))(request, response);
    server.always((request, response) => {
      if (request.headers.authorization === 'Bearer new') good(request, response);
      else failure(401, 'Unauthorized')(request, response);
    });
    const { content } = follow(server.kubeconfig({ tokenFile: token }));
    await vi.waitFor(() => expect(status()?.lastError?.code).toBe('KUBE_UNAUTHORIZED'));
    writeFileSync(token, 'new');
    await caches.synced;
    expect(content()).toEqual(['one@3']);
  });

  it('waits for a server that comes up later, and for one that comes back', async () => {
    await server.down();
    const { content } = follow();
    await vi.waitFor(() => expect(status()?.lastError?.message).toContain('ECONNREFUSED'));
    server.reply(list([one], '5'), stream());
    await server.up();
    await caches.synced;
    await server.next();
    await server.next();
    await server.down();
    await vi.waitFor(() => expect(status()?.lastError?.code).toBe('KUBE_UNAVAILABLE'));
    expect(content()).toEqual(['one@3']);
    server.reply(stream(line('MODIFIED', aConfigMap('one', '6'))));
    await server.up();
    await vi.waitFor(() => expect(content()).toEqual(['one@6']));
    expect(status()?.relists).toBe(0);
  });

  it('notices a half-open connection and goes on from where it was', async () => {
    // The deadlines of the client are on a clock of their own here.
    const deadlines = manualClock();
    const api = createClusterApi({
      kubeconfigPath: server.kubeconfig(),
      logger: silentLogger,
      userAgent: 'test',
      clock: deadlines,
    });
    open.push(api);
    caches = createCaches({ api, clock, logger: silentLogger, random: () => 1 });
    const cache = caches.cacheOf(configMaps);
    server.reply(list([one], '5'), stream(line('MODIFIED', aConfigMap('one', '6'))));
    server.reply(stream(line('MODIFIED', aConfigMap('one', '9'))));
    caches.start(controller.current.signal);
    const version = (): string | undefined => cache.list()[0]?.metadata.resourceVersion;
    await vi.waitFor(() => expect(version()).toBe('6'));
    // Nothing comes any more, for 300 s and a little.
    deadlines.advance(316_000);
    await vi.waitFor(() => expect(version()).toBe('9'));
    expect(server.requests[2]?.query['resourceVersion']).toBe('6');
  });

  it('leaves no connections behind over 200 watches that end in every way', async () => {
    const ends = [
      endedStream(),
      failure(500, 'InternalError'),
      hangUp,
      stream('garbage\n'),
      failure(410, 'Gone'),
    ];
    let round = 0;
    server.always((request, response) => {
      round++;
      const end = request.query['watch'] === 'true' ? ends[round % ends.length] : undefined;
      if (round > 200 || end === undefined) list([one], String(round))(request, response);
      else end(request, response);
    });
    follow();
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(200), { timeout: 10_000 });
    expect(server.open).toBeLessThanOrEqual(2);
    controller.current.abort();
    for (const api of open.splice(0)) api.close();
    await vi.waitFor(() => expect(server.open).toBe(0));
  });

  it('ends with its signal, and tells nothing after it', async () => {
    const { promise: held, resolve: hold } = Promise.withResolvers<(text: string) => void>();
    server.reply(list([one], '5'), (request, response) => {
      stream(bookmark('6'))(request, response);
      hold(text => void response.write(text));
    });
    const { changes } = follow();
    const tell = await held;
    controller.current.abort();
    tell(line('MODIFIED', aConfigMap('one', '7')));
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(changes).toEqual(['one ->3']);
    expect(server.requests).toHaveLength(2);
    expect(status()?.lastError).toBeUndefined();
  });

  it('survives listeners and indexes that throw', async () => {
    server.reply(list([one, two], '5'), stream(line('MODIFIED', aConfigMap('one', '6'))));
    const { cache, content } = follow();
    cache.onChange(() => {
      throw new Error('a bug');
    });
    cache.addIndex('broken', () => {
      throw new Error('a bug');
    });
    await vi.waitFor(() => expect(content()).toEqual(['one@6', 'two@4']));
    expect(cache.byIndex('broken', 'x')).toEqual([]);
  });
});

it('every object is told again about every ten minutes', async () => {
  const time = manualClock();
  const api = createClusterApi({
    kubeconfigPath: server.kubeconfig(),
    logger: silentLogger,
    userAgent: 'test',
    clock: time,
  });
  open.push(api);
  caches = createCaches({ api, clock: time, logger: silentLogger, random: () => 0.5 });
  const cache = caches.cacheOf(configMaps);
  server.reply(list([one, two], '5'));
  caches.start(controller.current.signal);
  await caches.synced;
  let told: (string | undefined)[] = [];
  cache.onChange(({ after }) => void told.push(after?.metadata.name));
  told = [];
  time.advance(599_000);
  expect(told).toEqual([]);
  time.advance(1_000);
  expect(told).toEqual(['one', 'two']);
  time.advance(600_000);
  expect(told).toEqual(['one', 'two', 'one', 'two']);
});
