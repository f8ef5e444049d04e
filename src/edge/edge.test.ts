import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { type MetricDelta, noEdgeMeasurements } from '../runtime/edge-measurements.ts';
import { makeAuthority } from './certificates.testing.ts';
import { certificateOf, send } from './clients.testing.ts';
import { anIngress, aSecret } from './compile/builders.testing.ts';
import { loopbackService, startTestEdge } from './edge.testing.ts';
import { type Edge, startEdge } from './index.ts';
import { type MemoryCaches, memoryCaches } from './memory-caches.testing.ts';
import type { EdgeConfig } from './options.ts';
import { startUpstream } from './upstreams.testing.ts';

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.stop()));
});

async function start(caches: MemoryCaches, config: EdgeConfig): Promise<Edge> {
  const edge = await startEdge({
    caches,
    events: { warning: () => {} },
    clock: systemClock,
    logger: silentLogger,
    config: { standalone: true, ...config },
  });
  open.push(edge);
  return edge;
}

const portOf = (address: string | undefined): number => Number(address?.split(':').at(-1));

describe('starting the edge', () => {
  it('what comes before the first table waits for it, requests and handshakes alike', async () => {
    const upstream = await startUpstream((_request, response) => response.end('served'));
    open.push({ stop: () => upstream.close() });
    const { chain, key } = await (await makeAuthority()).issue(['foo.com']);
    const caches = memoryCaches();
    const edge = await start(caches, { httpListen: '127.0.0.1:0', httpsListen: '127.0.0.1:0' });
    const early = send({ port: portOf(edge.httpAddress) });
    const handshake = certificateOf(portOf(edge.httpsAddress), 'foo.com');
    const ingress = anIngress({
      rules: { 'foo.com': [['/', 'Prefix']] },
      tls: [{ hosts: ['foo.com'], secretName: 'foo' }],
      annotations: { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' },
    });
    caches.apply(
      ingress,
      aSecret('foo', { 'tls.crt': chain, 'tls.key': key }),
      ...loopbackService('web', upstream.port),
    );
    caches.sync();
    await edge.ready;
    expect(await early).toMatchObject({ status: 200, body: 'served' });
    expect((await handshake).subject['CN']).toBe('foo.com');
  });

  it('a port that is taken is named', async () => {
    const taken = createServer();
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
    open.push({ stop: () => new Promise(resolve => taken.close(() => resolve())) });
    const { port } = taken.address() as AddressInfo;
    await expect(
      start(memoryCaches(), { httpListen: '127.0.0.1:0', httpsListen: `127.0.0.1:${port}` }),
    ).rejects.toMatchObject({
      code: 'EDGE_LISTEN_FAILED',
      message: `the edge cannot listen on 127.0.0.1:${port}: another program listens there`,
    });
  });

  it.each(['8080', 'host', '127.0.0.1:99999', '::1:80', ''])('%j is no address to listen on', async text => {
    await expect(start(memoryCaches(), { httpListen: text })).rejects.toMatchObject({
      code: 'EDGE_LISTEN_ADDRESS_INVALID',
    });
  });

  it('what it counts is told, at last when it stops', async () => {
    const closed = createServer();
    await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise(resolve => closed.close(resolve));
    const deltas: MetricDelta[] = [];
    const { edge, httpPort } = await startTestEdge(
      [anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }), ...loopbackService('web', port)],
      {},
      { measurements: { ...noEdgeMeasurements, counted: (_worker, delta) => deltas.push(delta) } },
    );
    expect((await send({ port: httpPort })).status).toBe(502);
    await edge.stop();
    expect(deltas.flatMap(({ requests }) => requests.ingresses)).toEqual(['default/site']);
    expect(deltas.flatMap(({ requests }) => [...requests.counts]).filter(count => count > 0)).toEqual([1]);
    const errors = deltas.flatMap(({ upstreamErrors }) => [...upstreamErrors.keys()]);
    expect(errors).toEqual(['default/site\tECONNREFUSED']);
  });

  it('serves one of the two alone, and then redirects nothing', async () => {
    const upstream = await startUpstream((_request, response) => response.end('served'));
    open.push({ stop: () => upstream.close() });
    const caches = memoryCaches();
    caches.apply(
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] }, tls: [{ hosts: ['foo.com'] }] }),
      ...loopbackService('web', upstream.port),
    );
    caches.sync();
    const edge = await start(caches, { httpListen: '127.0.0.1:0' });
    await edge.ready;
    expect(edge.httpsAddress).toBeUndefined();
    expect((await send({ port: portOf(edge.httpAddress) })).status).toBe(200);
  });
});
