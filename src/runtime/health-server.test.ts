import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../core/logger.ts';
import type { HealthCheck } from './health.ts';
import { type HealthServer, startHealthServer } from './health-server.ts';

const started: HealthServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

async function aServer(
  checks: { live?: HealthCheck[]; ready?: HealthCheck[]; render?: () => Promise<string> } = {},
) {
  const server = await startHealthServer({
    listen: { host: '127.0.0.1', port: 0 },
    metrics: { contentType: 'text/plain; version=0.0.4', render: checks.render ?? (async () => 'up 1\n') },
    live: () => checks.live ?? [],
    ready: () => checks.ready ?? [],
    logger: silentLogger,
  });
  started.push(server);
  return (path: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, headers: { connection: 'close' } });
}

const fine: HealthCheck = { name: 'manager', problem: () => undefined };
const broken: HealthCheck = { name: 'caches', problem: () => 'secrets are\nforbidden' };
const confused: HealthCheck = {
  name: 'edge',
  problem: () => {
    throw new Error('secret words');
  },
};

describe('health server', () => {
  it.each([
    ['/healthz', 200, 'ok\n'],
    ['/livez', 200, 'ok\n'],
    ['/readyz', 200, 'ok\n'],
    ['/readyz?verbose', 200, 'ok\n'],
    ['/', 404, 'Here are /metrics, /healthz, /livez and /readyz.\n'],
  ])('answers %s with %d where nothing is wrong', async (path, status, body) => {
    const response = await (await aServer())(path);
    expect([response.status, await response.text()]).toEqual([status, body]);
  });

  it('lists on /readyz what fails and what does not, while the process lives', async () => {
    const get = await aServer({ live: [fine], ready: [fine, broken, confused] });
    const response = await get('/readyz');
    expect(response.status).toBe(503);
    expect(await response.text()).toBe(
      '[+]manager ok\n[-]caches failed: secrets are forbidden\n[-]edge failed: the check itself failed\nnot ok\n',
    );
    expect((await get('/livez')).status).toBe(200);
  });

  it('fails /livez and /healthz where the process should be restarted', async () => {
    const get = await aServer({ live: [broken] });
    expect((await get('/livez')).status).toBe(503);
    expect((await get('/healthz')).status).toBe(503);
  });

  it('serves the metrics with their content type', async () => {
    const response = await (await aServer())('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await response.text()).toBe('up 1\n');
  });

  it('answers HEAD without a body', async () => {
    const response = await (await aServer())('/metrics', 'HEAD');
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '5',
      '',
    ]);
  });

  it.each(['POST', 'PUT', 'DELETE'])('refuses %s', async method => {
    const response = await (await aServer())('/metrics', method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('answers 500 where the metrics cannot be made, without the reason', async () => {
    const get = await aServer({ render: () => Promise.reject(new Error('secret words')) });
    const response = await get('/metrics');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret words');
  });

  it('cuts the connection of a client that speaks no HTTP, and goes on', async () => {
    const get = await aServer();
    const port = started[0]?.address.port ?? 0;
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('\u0016\u0003\u0001 not http\r\n\r\n'));
      socket.on('close', () => resolve());
      socket.on('error', reject);
    });
    expect((await get('/healthz')).status).toBe(200);
  });

  it('names the address and the flag where the port is taken', async () => {
    await aServer();
    const port = started[0]?.address.port ?? 0;
    const second = startHealthServer({
      listen: { host: '127.0.0.1', port },
      metrics: { contentType: '', render: async () => '' },
      live: () => [],
      ready: () => [],
      logger: silentLogger,
    });
    await expect(second).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining(`127.0.0.1:${port} (--metrics-listen-address)`),
    });
  });
});
