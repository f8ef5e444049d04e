import { subscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configMaps } from '../../api/kubernetes/core.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { manualClock } from '../../core/clock.testing.ts';
import { silentLogger } from '../../core/logger.ts';
import { isKubeError, KubeError } from '../errors.ts';
import type { KubeApi, WatchEvent } from '../port.ts';
import { type ClusterApiOptions, createClusterApi, type ObservedRequest } from './cluster-api.ts';
import {
  aConfigMap,
  bookmark,
  endedStream,
  failure,
  hangUp,
  json,
  line,
  list,
  type Reply,
  type ScriptedServer,
  startScriptedServer,
  statusObject,
  stream,
} from './scripted-server.testing.ts';

const key = { namespace: 'default', name: 'one' };

let server: ScriptedServer;
let clock: ReturnType<typeof manualClock>;
const open: { close(): void }[] = [];

beforeEach(async () => {
  server = await startScriptedServer();
  clock = manualClock();
});

afterEach(async () => {
  for (const api of open.splice(0)) api.close();
  await server.close();
});

function connect(options: Partial<ClusterApiOptions> = {}): KubeApi & { close(): void } {
  const api = createClusterApi({
    kubeconfigPath: server.kubeconfig(),
    logger: silentLogger,
    userAgent: 'postern/test',
    clock,
    ...options,
  });
  open.push(api);
  return api;
}

async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.fail('the call succeeded'),
    (thrown: unknown) => thrown,
  );
}

async function kubeErrorOf(call: Promise<unknown>): Promise<KubeError> {
  const thrown = await thrownBy(call);
  if (thrown instanceof KubeError) return thrown;
  throw thrown;
}

function watch(api: KubeApi, timeoutSeconds = 240, signal = new AbortController().signal) {
  return api.watch(configMaps, { resourceVersion: '5', timeoutSeconds, signal });
}

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

describe('errors of the API server', () => {
  it.each([
    [400, 'BadRequest', 'KUBE_INVALID'],
    [401, 'Unauthorized', 'KUBE_UNAUTHORIZED'],
    [403, 'Forbidden', 'KUBE_FORBIDDEN'],
    [404, 'NotFound', 'KUBE_NOT_FOUND'],
    [409, 'AlreadyExists', 'KUBE_ALREADY_EXISTS'],
    [409, 'Conflict', 'KUBE_CONFLICT'],
    [410, 'Gone', 'KUBE_GONE'],
    [410, 'Expired', 'KUBE_GONE'],
    [413, 'RequestEntityTooLarge', 'KUBE_INVALID'],
    [422, 'Invalid', 'KUBE_INVALID'],
    [429, 'TooManyRequests', 'KUBE_TOO_MANY_REQUESTS'],
    [500, 'InternalError', 'KUBE_UNAVAILABLE'],
    [503, 'ServiceUnavailable', 'KUBE_UNAVAILABLE'],
    [504, 'Timeout', 'KUBE_UNAVAILABLE'],
    [302, 'Found', 'KUBE_UNAVAILABLE'],
  ])('%i %s is %s, with the reason that was given', async (status, reason, code) => {
    server.reply(failure(status, reason));
    const error = await kubeErrorOf(connect().get(configMaps, key));
    expect(error.code).toBe(code);
    expect(error.message).toBe(
      `get configmaps default/one: the API server answered ${status}: scripted ${reason}`,
    );
  });

  it.each([
    ['seconds', () => '7', 7_000],
    ['a date', () => new Date(clock.now() + 90_000).toUTCString(), 90_000],
    ['a date that has passed', () => new Date(clock.now() - 90_000).toUTCString(), 0],
    ['far too much', () => '99999999', 600_000],
    ['nonsense', () => 'soon', undefined],
  ])('Retry-After in %s says when to come back', async (_, header, expected) => {
    server.reply(failure(429, 'TooManyRequests', { 'Retry-After': header() }));
    const error = await kubeErrorOf(connect().get(configMaps, key));
    expect(error.retryAfterMs).toBe(expected);
    expect(error.retry).toBe(expected === undefined ? 'backoff' : 'after');
  });

  it('retryAfterSeconds in the status stands in for the header', async () => {
    server.reply(json({ ...statusObject(503, 'ServerTimeout'), details: { retryAfterSeconds: 3 } }, 503));
    expect((await kubeErrorOf(connect().get(configMaps, key))).retryAfterMs).toBe(3_000);
  });

  it('an answer that is not of the API server is not repeated', async () => {
    server.reply((_, response) => response.writeHead(502).end('<html>secret of a proxy</html>'));
    const error = await kubeErrorOf(connect().get(configMaps, key));
    expect(error.code).toBe('KUBE_UNAVAILABLE');
    expect(error.message).not.toContain('secret');
  });

  it.each<[string, Reply]>([
    ['is no JSON', (_, response) => response.writeHead(200).end('{"kind"')],
    ['is no object', json('text')],
    ['has no metadata', json({ kind: 'ConfigMap' })],
    [
      'breaks off',
      (_, response) =>
        void response.writeHead(200, { 'Content-Length': '90' }).write('{', () => response.destroy()),
    ],
    ['never begins', hangUp],
  ])('a success that %s is UNAVAILABLE', async (_, reply) => {
    server.reply(reply, reply);
    expect((await kubeErrorOf(connect().get(configMaps, key))).code).toBe('KUBE_UNAVAILABLE');
  });

  it('a server that is not there is UNAVAILABLE', async () => {
    const api = connect();
    await server.down();
    const error = await kubeErrorOf(api.create(configMaps, aConfigMap('one', '')));
    expect(error.code).toBe('KUBE_UNAVAILABLE');
    expect(error.message).toContain('ECONNREFUSED');
  });
});

describe('calls', () => {
  it('address objects and collections as the API wants it', async () => {
    const api = connect();
    const object = aConfigMap('one', '5');
    const cluster: Resource<KubeObject> = {
      group: 'example.com',
      version: 'v2',
      kind: 'Thing',
      plural: 'things',
      namespaced: false,
      hasStatus: true,
    };
    server.always(json({ ...object, items: [] }));
    await api.get(configMaps, key);
    await api.create(configMaps, object);
    await api.update(configMaps, object);
    await api.updateStatus(configMaps, object);
    await api.mergePatch(configMaps, key, { data: null });
    await api.mergePatch(configMaps, key, { data: null }, { subresource: 'status' });
    await api.delete(configMaps, key);
    await api.list(configMaps, {
      namespace: 'default',
      labelSelector: 'a in (b,c)',
      limit: 5,
      continue: 'x&y',
    });
    await api.list(configMaps);
    await api.get(cluster, { namespace: '', name: 'one' });
    expect(server.requests.map(({ method, path, query }) => [method, path, query])).toEqual([
      ['GET', '/api/v1/namespaces/default/configmaps/one', {}],
      ['POST', '/api/v1/namespaces/default/configmaps', {}],
      ['PUT', '/api/v1/namespaces/default/configmaps/one', {}],
      ['PUT', '/api/v1/namespaces/default/configmaps/one/status', {}],
      ['PATCH', '/api/v1/namespaces/default/configmaps/one', {}],
      ['PATCH', '/api/v1/namespaces/default/configmaps/one/status', {}],
      ['DELETE', '/api/v1/namespaces/default/configmaps/one', {}],
      [
        'GET',
        '/api/v1/namespaces/default/configmaps',
        { labelSelector: 'a in (b,c)', limit: '5', continue: 'x&y' },
      ],
      ['GET', '/api/v1/configmaps', {}],
      ['GET', '/apis/example.com/v2/things/one', {}],
    ]);
    const [, create, , , patch] = server.requests;
    expect(create?.headers['content-type']).toBe('application/json');
    expect(create?.headers['user-agent']).toBe('postern/test');
    expect(patch?.headers['content-type']).toBe('application/merge-patch+json');
    expect(patch?.body).toEqual({ data: null });
  });

  it('go below the path of the server', async () => {
    server.always(json(aConfigMap('one', '5')));
    const kubeconfigPath = server.kubeconfig(
      {},
      { server: `${server.url}/k8s/clusters/c-1/`, 'insecure-skip-tls-verify': true },
    );
    await connect({ kubeconfigPath }).get(configMaps, key);
    expect(server.requests[0]?.path).toBe('/k8s/clusters/c-1/api/v1/namespaces/default/configmaps/one');
  });

  it.each([
    ['no name', { namespace: 'default', name: '' }],
    ['no namespace', { namespace: '', name: 'one' }],
    ['a way up', { namespace: 'default', name: '..' }],
    ['a path', { namespace: 'default', name: 'one/status' }],
    ['a path for a namespace', { namespace: '../x', name: 'one' }],
  ])('are not sent for an object with %s', async (_, bad) => {
    const api = connect();
    expect((await kubeErrorOf(api.delete(configMaps, bad))).code).toBe('KUBE_INVALID');
    expect(server.requests).toEqual([]);
  });

  it('delete what owns others in the background, and only what is meant', async () => {
    const api = connect();
    server.always(json({ kind: 'Status', status: 'Success' }));
    await api.delete(configMaps, key, { uid: 'u', resourceVersion: '4' });
    await api.delete(configMaps, key);
    expect(server.requests.map(request => request.body)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid: 'u', resourceVersion: '4' },
      },
      { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
    ]);
  });

  it('end by their deadline where the server says nothing', async () => {
    const call = kubeErrorOf(connect().get(configMaps, key));
    await server.next();
    clock.advance(29_999);
    clock.advance(1);
    expect((await call).message).toBe('get configmaps default/one: the API server did not answer in time');
    await vi.waitFor(() => expect(server.open).toBe(0));
  });

  it('end by their deadline where the answer stops in the middle', async () => {
    server.reply(
      (_, response) => void response.writeHead(200, { 'Content-Length': '900' }).write('{"kind":'),
    );
    const head = new Promise<unknown>(resolve => {
      subscribe('http.client.response.finish', resolve);
    });
    const call = kubeErrorOf(connect().get(configMaps, key));
    await head;
    clock.advance(30_000);
    expect((await call).message).toContain('in time');
    await vi.waitFor(() => expect(server.open).toBe(0));
  });

  it('end with an AbortError when the caller gives up', async () => {
    const controller = new AbortController();
    const call = thrownBy(connect().get(configMaps, key, controller.signal));
    await server.next();
    controller.abort(new Error('enough'));
    expect(await call).toMatchObject({ name: 'AbortError' });
    await vi.waitFor(() => expect(server.open).toBe(0));
  });

  it('read again where the server has closed the idle connection, and never write twice', async () => {
    const api = connect();
    server.reply(json(aConfigMap('one', '5')), hangUp, json(aConfigMap('one', '6')), hangUp);
    await api.get(configMaps, key);
    expect((await api.get(configMaps, key)).metadata.resourceVersion).toBe('6');
    expect((await kubeErrorOf(api.create(configMaps, aConfigMap('one', '')))).code).toBe('KUBE_UNAVAILABLE');
    expect(server.requests.map(request => request.method)).toEqual(['GET', 'GET', 'GET', 'POST']);
  });

  it('share a bounded number of connections', async () => {
    server.always((request, response) =>
      setTimeout(() => json(aConfigMap('one', '5'))(request, response), 5),
    );
    const api = connect({ maxSockets: 3 });
    await Promise.all(Array.from({ length: 20 }, () => api.get(configMaps, key)));
    expect(server.mostAtOnce).toBe(3);
    expect(server.accepted).toBe(3);
  });

  it('are told to the metrics with their status', async () => {
    const seen: Omit<ObservedRequest, 'durationMs'>[] = [];
    const api = connect({
      onRequest: ({ verb, resource, status }) => seen.push({ verb, resource, status }),
    });
    server.reply(json(aConfigMap('one', '5')), failure(409, 'AlreadyExists'), hangUp, endedStream());
    await api.get(configMaps, key);
    await thrownBy(api.create(configMaps, aConfigMap('one', '')));
    await thrownBy(api.delete(configMaps, key));
    await all(watch(api));
    expect(seen).toEqual([
      { verb: 'get', resource: 'configmaps', status: 200 },
      { verb: 'create', resource: 'configmaps', status: 409 },
      { verb: 'delete', resource: 'configmaps', status: 0 },
      { verb: 'watch', resource: 'configmaps', status: 200 },
    ]);
  });

  it('fail after the client is closed', async () => {
    const api = connect();
    api.close();
    expect((await kubeErrorOf(api.get(configMaps, key))).code).toBe('KUBE_UNAVAILABLE');
  });
});

describe('list', () => {
  it('gives items their apiVersion and kind, and the token of the next page', async () => {
    const api = connect();
    server.reply(list([aConfigMap('one', '3')], '7', 'token'), list([], '7', ''));
    const page = await api.list(configMaps);
    expect(page).toEqual({ items: [aConfigMap('one', '3')], resourceVersion: '7', continue: 'token' });
    expect((await api.list(configMaps)).continue).toBeUndefined();
  });

  it('reads null for no items', async () => {
    server.reply(json({ kind: 'List', metadata: { resourceVersion: '7' }, items: null }));
    expect((await connect().list(configMaps)).items).toEqual([]);
  });
});

describe('watch', () => {
  const one = aConfigMap('one', '6', { greeting: 'grüß dich, 世界 🏰' });
  const two = aConfigMap('two', '7');
  const lines = `${line('ADDED', one)}${line('MODIFIED', two)}${bookmark('8')}`;
  const events: WatchEvent<unknown>[] = [
    { type: 'ADDED', object: one },
    { type: 'MODIFIED', object: two },
    { type: 'BOOKMARK', resourceVersion: '8' },
  ];

  it('asks for bookmarks from a version on, for a time', async () => {
    server.reply(endedStream());
    expect(await all(watch(connect(), 250))).toEqual([]);
    expect(server.requests[0]?.query).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '5',
      timeoutSeconds: '250',
    });
  });

  it('reads several events in one chunk', async () => {
    server.reply(endedStream(lines));
    expect(await all(watch(connect()))).toEqual(events);
  });

  it('reads events that are cut anywhere, in the middle of a character too', async () => {
    const bytes = Buffer.from(lines);
    server.reply((request, response) => {
      stream()(request, response);
      let at = 0;
      const more = (): void => {
        if (at === bytes.length) return void response.end();
        response.write(bytes.subarray(at, ++at), () => setImmediate(more));
      };
      more();
    });
    expect(await all(watch(connect()))).toEqual(events);
  });

  it('reads a last event without a newline, and passes over empty lines', async () => {
    server.reply(endedStream(`\n${line('ADDED', one)}\n`, line('MODIFIED', two).trimEnd()));
    expect(await all(watch(connect()))).toEqual(events.slice(0, 2));
  });

  it.each<[string, Reply, string]>([
    ['a status 410', failure(410, 'Expired'), 'KUBE_GONE'],
    ['an ERROR event with 410', stream(line('ERROR', statusObject(410, 'Expired'))), 'KUBE_GONE'],
    [
      'an ERROR event with 500',
      stream(line('ERROR', statusObject(500, 'InternalError'))),
      'KUBE_UNAVAILABLE',
    ],
    ['an ERROR event with nothing', stream(line('ERROR', {})), 'KUBE_UNAVAILABLE'],
    ['a line that is no JSON', stream('garbage\n'), 'KUBE_UNAVAILABLE'],
    ['a line that is no event', stream('{"type":"ADDED"}\n'), 'KUBE_UNAVAILABLE'],
    ['half a line', endedStream(line('ADDED', one).slice(0, 20)), 'KUBE_UNAVAILABLE'],
    ['a status 403', failure(403, 'Forbidden'), 'KUBE_FORBIDDEN'],
    ['no answer', hangUp, 'KUBE_UNAVAILABLE'],
  ])('fails at %s', async (_, reply, code) => {
    server.reply(reply);
    expect((await kubeErrorOf(all(watch(connect())))).code).toBe(code);
  });

  it('gives the events before a connection breaks, then fails', async () => {
    server.reply((request, response) => {
      stream()(request, response);
      response.write(line('ADDED', one), () => response.destroy());
    });
    const seen: unknown[] = [];
    const error = await kubeErrorOf(
      (async () => {
        for await (const event of watch(connect())) seen.push(event);
      })(),
    );
    expect(seen).toEqual(events.slice(0, 1));
    expect(error.code).toBe('KUBE_UNAVAILABLE');
  });

  it('goes on past the deadline of other calls, and ends soon after its own time limit', async () => {
    let tell: (text: string) => void = () => {};
    server.reply((request, response) => {
      stream(line('ADDED', one))(request, response);
      tell = text => void response.write(text);
    });
    const iterator = watch(connect(), 240)[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toEqual(events[0]);
    clock.advance(239_000);
    tell(line('MODIFIED', two));
    expect((await iterator.next()).value).toEqual(events[1]);
    // From here on the socket is half-open: nothing comes any more, not even the end.
    const end = kubeErrorOf(Promise.resolve(iterator.next()));
    clock.advance(20_000);
    expect(await end).toMatchObject({ code: 'KUBE_UNAVAILABLE' });
    await vi.waitFor(() => expect(server.open).toBe(0));
  });

  it('whose answer never begins ends by the deadline of other calls', async () => {
    const call = kubeErrorOf(all(watch(connect(), 240)));
    await server.next();
    clock.advance(30_000);
    expect((await call).code).toBe('KUBE_UNAVAILABLE');
  });

  it('ends with an AbortError when the caller gives up, and leaves no connection', async () => {
    const controller = new AbortController();
    server.reply(stream(line('ADDED', one)));
    const iterator = watch(connect(), 240, controller.signal)[Symbol.asyncIterator]();
    await iterator.next();
    const end = thrownBy(Promise.resolve(iterator.next()));
    controller.abort();
    expect(await end).toMatchObject({ name: 'AbortError' });
    await vi.waitFor(() => expect(server.open).toBe(0));
  });

  it('uses one connection for 200 watches that end, and leaves none of 200 that are left', async () => {
    const api = connect();
    server.always(endedStream(line('ADDED', one)));
    for (let round = 0; round < 200; round++) await all(watch(api));
    expect(server.accepted).toBe(1);

    server.always(stream(line('ADDED', one)));
    for (let round = 0; round < 200; round++) {
      for await (const event of watch(api)) {
        expect(event.type).toBe('ADDED');
        break;
      }
    }
    await vi.waitFor(() => expect(server.open).toBe(0));
  });
});

describe('serves', () => {
  const resources = {
    kind: 'APIResourceList',
    resources: [{ name: 'configmaps' }, { name: 'configmaps/status' }],
  };

  it('knows a resource of a group version that is there', async () => {
    server.always(json(resources));
    const api = connect();
    expect(await api.serves(configMaps)).toBe(true);
    expect(await api.serves({ ...configMaps, plural: 'secrets' })).toBe(false);
    expect(server.requests[0]?.path).toBe('/api/v1');
  });

  it('asks once for many, and again when the answer has become old', async () => {
    const api = connect();
    server.reply(failure(404, 'NotFound'));
    expect(await Promise.all([api.serves(configMaps), api.serves(configMaps)])).toEqual([false, false]);
    expect(server.requests).toHaveLength(1);
    clock.advance(5_000);
    server.reply(json(resources));
    expect(await api.serves(configMaps)).toBe(true);
    clock.advance(59_000);
    expect(await api.serves(configMaps)).toBe(true);
    expect(server.requests).toHaveLength(2);
  });

  it('does not take a failure for an absence', async () => {
    server.always(failure(503, 'ServiceUnavailable'));
    expect(isKubeError(await thrownBy(connect().serves(configMaps)), 'KUBE_UNAVAILABLE')).toBe(true);
  });
});
