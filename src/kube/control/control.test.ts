import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificates } from '../../api/cert-manager/certificate.ts';
import { configMaps } from '../../api/kubernetes/core.ts';
import { silentLogger } from '../../core/logger.ts';
import { embeddedResources } from '../embedded/resources.ts';
import { stateFilesIn } from '../embedded/state-folder.ts';
import { anEmbeddedApi, aStateFolder } from '../embedded/store.testing.ts';
import { createControlClient } from './client.ts';
import { type ControlServer, startControlServer } from './server.ts';

const key = { namespace: 'shop', name: 'site' };
const spec = { secretName: 'site-tls', dnsNames: ['shop.test'], issuerRef: { name: 'le' } };

/** A store whose control socket is open, and who asks there. */
async function aControlledStore() {
  const stateDir = aStateFolder();
  const api = anEmbeddedApi({ stateDir });
  const { socket } = stateFilesIn(stateDir);
  const server = await startControlServer({
    path: socket,
    api,
    resources: embeddedResources,
    logger: silentLogger,
  });
  onTestFinished(() => server.close());
  const created = await api.create(certificates, { metadata: key, spec });
  return { api, stateDir, socket, server, created, client: createControlClient(stateDir, socket) };
}

function ask(socketPath: string, method: string, path: string, body: string): Promise<[number, unknown]> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve([response.statusCode ?? 0, JSON.parse(text)]));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('the control socket', () => {
  it('changes a status in the store of the process that has it, and gives back what was stored', async () => {
    const { api, client, created } = await aControlledStore();
    const stored = await client.updateStatus(certificates, { ...created, status: { revision: 7 } });
    expect(stored).toEqual(await api.get(certificates, key));
    expect(stored.status).toEqual({ revision: 7 });
  });

  it('can be opened by its owner alone', async () => {
    const { socket } = await aControlledStore();
    expect(statSync(socket).isSocket()).toBe(true);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  it('passes on why the store refuses', async () => {
    const { api, client, created } = await aControlledStore();
    const live = await api.updateStatus(certificates, { ...created, status: { revision: 1 } });
    await expect(client.updateStatus(certificates, { ...created, status: {} })).rejects.toMatchObject({
      code: 'KUBE_CONFLICT',
    });
    await expect(
      client.updateStatus(certificates, { ...created, metadata: { ...created.metadata, name: 'absent' } }),
    ).rejects.toMatchObject({ code: 'KUBE_NOT_FOUND' });
    await expect(
      client.updateStatus(certificates, { ...live, status: { revision: 'x' as unknown as number } }),
    ).rejects.toMatchObject({ code: 'KUBE_INVALID', message: expect.stringContaining('status.revision') });
    await expect(client.updateStatus(configMaps, { metadata: key })).rejects.toMatchObject({
      code: 'KUBE_NOT_FOUND',
    });
  });

  it.each<[string, string, string, string, RegExp]>([
    ['another path', 'POST', '/secrets', '{}', /POST \/update-status alone/],
    ['another method', 'GET', '/update-status', '', /POST \/update-status alone/],
    ['no JSON', 'POST', '/update-status', 'x', /is not \{"resource"/],
    ['no object', 'POST', '/update-status', '{"resource":"secrets","object":1}', /is not \{"resource"/],
    [
      'an unknown resource',
      'POST',
      '/update-status',
      '{"resource":"nodes","object":{"metadata":{}}}',
      /no resource "nodes"/,
    ],
    ['too much', 'POST', '/update-status', ' '.repeat(5 * 2 ** 20), /larger than/],
  ])('refuses %s', async (_, method, path, body, message) => {
    const { socket, client, created } = await aControlledStore();
    const [status, answer] = await ask(socket, method, path, body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(answer).toMatchObject({ code: 'KUBE_INVALID', message: expect.stringMatching(message) });
    await client.updateStatus(certificates, { ...created, status: { revision: 1 } });
  });

  it('goes with its process, and one that was left behind is replaced', async () => {
    const { api, server, socket, client, created } = await aControlledStore();
    await server.close();
    expect(existsSync(socket)).toBe(false);
    writeFileSync(socket, '');
    const again = await startControlServer({
      path: socket,
      api,
      resources: embeddedResources,
      logger: silentLogger,
    });
    onTestFinished(() => again.close());
    await client.updateStatus(certificates, { ...created, status: { revision: 1 } });
  });

  it('is told of where it cannot be made', async () => {
    const start = (path: string): Promise<ControlServer> =>
      startControlServer({ path, api: anEmbeddedApi(), resources: [], logger: silentLogger });
    const folder = aStateFolder();
    await expect(start(join(folder, 'x'.repeat(120)))).rejects.toMatchObject({
      code: 'CONTROL_SOCKET_FAILED',
      message: expect.stringContaining('cannot be made: listen EINVAL'),
    });
    mkdirSync(join(folder, 'taken'));
    await expect(start(join(folder, 'taken'))).rejects.toMatchObject({ code: 'CONTROL_SOCKET_FAILED' });
  });

  it('does not keep a state folder that was opened to others from being tightened', async () => {
    const { stateDir, api, server, socket } = await aControlledStore();
    await server.close();
    await api.close();
    writeFileSync(socket, '');
    chmodSync(stateDir, 0o755);
    anEmbeddedApi({ stateDir });
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
  });
});

describe('who asks at a control socket', () => {
  const object = { metadata: key, spec };

  it('is told that nobody runs, whether there is no socket or a dead one', async () => {
    const { server, stateDir, socket, client } = await aControlledStore();
    await server.close();
    const expected = {
      code: 'POSTERN_NOT_RUNNING',
      retry: 'never',
      message: `No Postern runs on the state folder ${stateDir}, and what is asked for is done by the one that does: start it (postern run --standalone ...), then ask again.`,
    };
    await expect(client.updateStatus(certificates, object)).rejects.toMatchObject(expected);
    writeFileSync(socket, '');
    await expect(client.updateStatus(certificates, object)).rejects.toMatchObject(expected);
  });

  it('is told what is there instead of a Postern', async () => {
    const path = join(aStateFolder(), 'socket');
    const impostor = createServer((_, response) => response.end('hello'));
    await new Promise<void>(resolve => {
      impostor.listen(path, resolve);
    });
    onTestFinished(() => void impostor.close());
    const client = createControlClient('/state', path);
    await expect(client.updateStatus(certificates, object)).rejects.toMatchObject({
      code: 'POSTERN_NOT_REACHED',
      message: 'The Postern of the state folder /state does not answer: its answer is no object.',
    });
  });
});
