import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { MappingSpec } from '../api/getambassador/mapping.ts';
import { send } from './clients.testing.ts';
import { aMapping } from './compile/mappings.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from './edge.testing.ts';
import { startUpstream } from './upstreams.testing.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

async function edgeWith(spec: Partial<MappingSpec>, ...ports: number[]): Promise<TestEdge> {
  const mapping = aMapping({ hostname: 'foo.com', service: 'web', ...spec }, 'site');
  const edge = await startTestEdge([mapping, ...loopbackService('web', ...ports)], {
    drainMs: 200,
    accessLog: { kind: 'json' },
  });
  open.push({ close: () => edge.edge.stop() });
  return edge;
}

/** An upstream that sends a message every 20 ms. */
async function tickingUpstream(): Promise<number> {
  const upstream = await startUpstream();
  const sockets = new WebSocketServer({ server: upstream.server });
  sockets.on('connection', socket => {
    const ticks = setInterval(() => socket.send('tick'), 20);
    socket.on('close', () => clearInterval(ticks));
  });
  open.push(upstream);
  return upstream.port;
}

function socketTo(edge: TestEdge): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${edge.httpPort}/`, { headers: { host: 'foo.com' } });
}

it('allow_upgrade: a WebSocket goes on for as long as it is used, whatever timeout_ms', async () => {
  const edge = await edgeWith({ allow_upgrade: ['websocket'], timeout_ms: 100 }, await tickingUpstream());
  const socket = socketTo(edge);
  const startedMs = performance.now();
  while (performance.now() - startedMs < 1_200) await once(socket, 'message');
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  await expect.poll(() => edge.accessLog).toHaveLength(1);
  expect(JSON.parse(edge.accessLog[0] ?? '')).toMatchObject({ status: 101 });
  expect(edge.logs.filter(({ message }) => message === 'an upstream failed')).toEqual([]);
});

it('without allow_upgrade no protocol is changed', async () => {
  const upstream = await startUpstream((request, response) => response.end(request.headers.upgrade));
  open.push(upstream);
  const [error] = await once(socketTo(await edgeWith({}, upstream.port)), 'error');
  expect(String(error)).toContain('Unexpected server response: 200');
});

it('load_balancer: requests with one value of the header come to one endpoint', async () => {
  const upstreams = await Promise.all(
    ['a', 'b', 'c'].map(name => startUpstream((_request, response) => response.end(name))),
  );
  open.push(...upstreams);
  const edge = await edgeWith(
    { load_balancer: { policy: 'ring_hash', header: 'X-User' } },
    ...upstreams.map(({ port }) => port),
  );
  const served = new Set<string>();
  for (let user = 0; user < 40; user += 1) {
    const bodies = await Promise.all(
      [1, 2].map(async () => {
        const answer = await send({ port: edge.httpPort, headers: { 'x-user': `user-${user}` } });
        return answer.body;
      }),
    );
    expect(new Set(bodies).size).toBe(1);
    served.add(bodies[0] ?? '');
  }
  expect(served).toEqual(new Set(['a', 'b', 'c']));
});
