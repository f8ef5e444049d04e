import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestAuthority, type TestAuthority } from '../../../e2e/harness/test-authority.ts';
import { configMaps } from '../../api/kubernetes/core.ts';
import { manualClock } from '../../core/clock.testing.ts';
import type { Clock } from '../../core/clock.ts';
import { PosternError } from '../../core/errors.ts';
import { type LogFields, type Logger, silentLogger } from '../../core/logger.ts';
import { isKubeError } from '../errors.ts';
import type { KubeApi } from '../port.ts';
import { createClusterApi } from './cluster-api.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import {
  aConfigMap,
  failure,
  json,
  type Reply,
  type ScriptedServer,
  startScriptedServer,
} from './scripted-server.testing.ts';

const key = { namespace: 'default', name: 'one' };
const found = json(aConfigMap('one', '5'));
const servers: ScriptedServer[] = [];
const open: { close(): void }[] = [];
let server: ScriptedServer;

async function start(tls?: Parameters<typeof startScriptedServer>[0]): Promise<ScriptedServer> {
  const started = await startScriptedServer(tls);
  started.always(found);
  servers.push(started);
  return started;
}

beforeEach(async () => {
  server = await start();
});

afterEach(async () => {
  for (const api of open.splice(0)) api.close();
  for (const one of servers.splice(0)) await one.close();
});

function connect(
  kubeconfigPath: string,
  logger: Logger = silentLogger,
  clock: Clock = manualClock(),
): KubeApi & { close(): void } {
  const api = createClusterApi({ kubeconfigPath, logger, userAgent: 'postern/test', clock });
  open.push(api);
  return api;
}

const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'success',
    (thrown: unknown) => (isKubeError(thrown) ? thrown.code : String(thrown)),
  );

/** Accepts one bearer token. */
const accepting =
  (token: () => string): Reply =>
  (request, response) =>
    (request.headers.authorization === `Bearer ${token()}` ? found : failure(401, 'Unauthorized'))(
      request,
      response,
    );

describe('tokens', () => {
  it('come from the kubeconfig', async () => {
    server.always(accepting(() => 'letmein'));
    expect(await outcomeOf(connect(server.kubeconfig()).get(configMaps, key))).toBe('success');
  });

  it('are read anew from their file, which lies beside the kubeconfig', async () => {
    const file = join(server.folder, 'token');
    const clock = manualClock();
    const api = connect(server.kubeconfig({ tokenFile: 'token' }), silentLogger, clock);
    let valid = 'first';
    server.always(accepting(() => valid));
    writeFileSync(file, 'first\n');
    expect(await outcomeOf(api.get(configMaps, key))).toBe('success');
    valid = 'second';
    expect(await outcomeOf(api.get(configMaps, key))).toBe('KUBE_UNAUTHORIZED');
    writeFileSync(file, 'second\n');
    expect(await outcomeOf(api.get(configMaps, key))).toBe('success');
    rmSync(file);
    expect(await outcomeOf(api.get(configMaps, key))).toBe('success');
    clock.advance(1_000);
    expect(await outcomeOf(api.get(configMaps, key))).toBe('KUBE_UNAUTHORIZED');
  });

  it('never show in an error', async () => {
    server.always(failure(401, 'Unauthorized'));
    const error = await connect(server.kubeconfig({ token: 'hush-hush' }))
      .get(configMaps, key)
      .catch((thrown: unknown) => thrown);
    expect(String(error)).not.toContain('hush-hush');
  });

  it('come from a plugin, which runs once for all and again when its token is refused', async () => {
    const plugin = join(server.folder, 'plugin.sh');
    const runs = join(server.folder, 'runs');
    writeFileSync(
      plugin,
      `#!/bin/sh\nprintf x >> ${runs}\ncase "$KUBERNETES_EXEC_INFO" in *client.authentication.k8s.io/v1*) ;; *) exit 1 ;; esac\n` +
        `printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "run$(wc -c < ${runs} | tr -d ' ')"\n`,
    );
    chmodSync(plugin, 0o755);
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './plugin.sh',
      interactiveMode: 'Never',
    };
    const api = connect(server.kubeconfig({ exec }));
    let valid = 'run1';
    server.always(accepting(() => valid));
    const calls = await Promise.all(Array.from({ length: 5 }, () => outcomeOf(api.get(configMaps, key))));
    expect(calls).toEqual(Array.from({ length: 5 }, () => 'success'));
    expect(readFileSync(runs, 'utf8')).toBe('x');
    valid = 'run2';
    expect(await outcomeOf(api.get(configMaps, key))).toBe('KUBE_UNAUTHORIZED');
    expect(await outcomeOf(api.get(configMaps, key))).toBe('success');
  });

  it('of a plugin that fails are UNAUTHORIZED', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'false' };
    expect(await outcomeOf(connect(server.kubeconfig({ exec })).get(configMaps, key))).toBe(
      'KUBE_UNAUTHORIZED',
    );
    expect(server.requests).toEqual([]);
  });
});

describe('TLS to the API server', () => {
  let authority: TestAuthority;
  let secure: ScriptedServer;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  beforeEach(async () => {
    authority = await createTestAuthority('scripted');
    const identity = await authority.issue({ commonName: 'server', ipAddresses: ['127.0.0.1'] });
    secure = await start({
      cert: identity.certPem,
      key: identity.keyPem,
      ca: authority.caPem,
      requestCert: true,
      rejectUnauthorized: false,
    });
  });

  it('trusts the CA of the kubeconfig, as data or as a file', async () => {
    const data = { 'certificate-authority-data': base64(authority.caPem) };
    expect(await outcomeOf(connect(secure.kubeconfig({}, data)).get(configMaps, key))).toBe('success');
    writeFileSync(join(secure.folder, 'ca.crt'), authority.caPem);
    const file = { 'certificate-authority': 'ca.crt' };
    expect(await outcomeOf(connect(secure.kubeconfig({}, file)).get(configMaps, key))).toBe('success');
  });

  it('takes a CA that was renewed in its file', async () => {
    const file = join(secure.folder, 'ca.crt');
    writeFileSync(file, (await createTestAuthority('other')).caPem);
    const clock = manualClock();
    const api = connect(secure.kubeconfig({}, { 'certificate-authority': 'ca.crt' }), silentLogger, clock);
    expect(await outcomeOf(api.get(configMaps, key))).toBe('KUBE_UNAVAILABLE');
    writeFileSync(file, authority.caPem);
    clock.advance(1_000);
    expect(await outcomeOf(api.get(configMaps, key))).toBe('success');
  });

  it('keeps its connections for as long as the files say the same, and takes none over to other settings', async () => {
    const file = join(secure.folder, 'ca.crt');
    writeFileSync(file, authority.caPem);
    const clock = manualClock();
    const api = connect(secure.kubeconfig({}, { 'certificate-authority': 'ca.crt' }), silentLogger, clock);
    for (const _ of [1, 2, 3]) {
      expect(await outcomeOf(api.get(configMaps, key))).toBe('success');
      clock.advance(1_000);
    }
    expect(secure.accepted).toBe(1);
    writeFileSync(file, (await createTestAuthority('other')).caPem);
    expect(await outcomeOf(api.get(configMaps, key))).toBe('KUBE_UNAVAILABLE');
  });

  it.each([
    ['no CA', {}],
    ['another CA', { other: true }],
  ])('trusts nobody with %s', async (_, { other }: { other?: boolean }) => {
    const ca = (await createTestAuthority('other')).caPem;
    const cluster = other === true ? { 'certificate-authority-data': base64(ca) } : {};
    const error = await connect(secure.kubeconfig({}, cluster))
      .get(configMaps, key)
      .catch((thrown: unknown) => thrown);
    expect(isKubeError(error, 'KUBE_UNAVAILABLE')).toBe(true);
    expect(String(error)).toMatch(/certificate/);
    expect(secure.requests).toEqual([]);
  });

  it('trusts no certificate of another name', async () => {
    const identity = await authority.issue({ commonName: 'server', dnsNames: ['api.example.com'] });
    const named = await start({ cert: identity.certPem, key: identity.keyPem });
    const ca = { 'certificate-authority-data': base64(authority.caPem) };
    expect(await outcomeOf(connect(named.kubeconfig({}, ca)).get(configMaps, key))).toBe('KUBE_UNAVAILABLE');
    const withName = { ...ca, 'tls-server-name': 'api.example.com' };
    expect(await outcomeOf(connect(named.kubeconfig({}, withName)).get(configMaps, key))).toBe('success');
  });

  it('is verified even where the context has no user', async () => {
    const path = join(secure.folder, 'anonymous');
    const config = {
      clusters: [
        { name: 'c', cluster: { server: secure.url, 'certificate-authority-data': base64(authority.caPem) } },
      ],
      contexts: [{ name: 'x', context: { cluster: 'c' } }],
      'current-context': 'x',
    };
    writeFileSync(path, JSON.stringify(config));
    expect(await outcomeOf(connect(path).get(configMaps, key))).toBe('success');
  });

  it('shows the client certificate of the kubeconfig', async () => {
    const client = await authority.issue({ commonName: 'tester' });
    const user = {
      'client-certificate-data': base64(client.certPem),
      'client-key-data': base64(client.keyPem),
    };
    let authorized: unknown;
    secure.always((request, response) => {
      authorized = (response.socket as unknown as { authorized: boolean }).authorized;
      found(request, response);
    });
    const ca = { 'certificate-authority-data': base64(authority.caPem) };
    await connect(secure.kubeconfig(user, ca)).get(configMaps, key);
    expect(authorized).toBe(true);
    await connect(secure.kubeconfig({}, ca)).get(configMaps, key);
    expect(authorized).toBe(false);
  });

  it('is not verified where the kubeconfig says so, with a warning', async () => {
    const warnings: [string, LogFields | undefined][] = [];
    const logger: Logger = {
      ...silentLogger,
      warn: (message, fields) => void warnings.push([message, fields]),
    };
    const api = connect(secure.kubeconfig({}, { 'insecure-skip-tls-verify': true }), logger);
    expect(await outcomeOf(api.get(configMaps, key))).toBe('success');
    expect(warnings).toEqual([
      [
        expect.stringContaining('not verified'),
        expect.objectContaining({ server: `127.0.0.1:${secure.port}` }),
      ],
    ]);
  });
});

describe('kubeconfig', () => {
  const load = (path: string, context?: string): unknown => {
    try {
      return loadKubeconfig({ kubeconfigPath: path, context });
    } catch (thrown) {
      return thrown;
    }
  };

  it.each([
    ['a file that is not there', () => join(server.folder, 'absent'), /absent/],
    [
      'a file that is no kubeconfig',
      () => {
        writeFileSync(join(server.folder, 'text'), 'just text');
        return join(server.folder, 'text');
      },
      /text/,
    ],
    ['plain http', () => server.kubeconfig({}, {}), /not encrypted/],
    ['a server that is no URL', () => server.kubeconfig({}, { server: 'localhost:6443' }), /localhost:6443/],
  ])('is refused for %s', (_, path, message) => {
    const error = load(path());
    expect(error).toBeInstanceOf(PosternError);
    expect(error).toMatchObject({ code: 'KUBECONFIG_INVALID', retry: 'never' });
    expect(String(error)).toMatch(message);
  });

  it('is refused for a context that it does not have, and names those it has', () => {
    expect(String(load(server.kubeconfig(), 'absent'))).toMatch(/"absent".*main/);
  });

  it('may be several files, of which the first counts', () => {
    const first = server.kubeconfig({ token: 'first' });
    const second = server.kubeconfig({ tokenFile: 'second' });
    const missing = join(server.folder, 'absent');
    expect(existsSync(missing)).toBe(false);
    const { config, tokenFile } = loadKubeconfig({}, { KUBECONFIG: `${missing}:${first}:${second}` });
    expect(config.getCurrentUser()?.token).toBe('first');
    expect(tokenFile).toBeUndefined();
  });

  it('is asked for where there is none', () => {
    expect(() => loadKubeconfig({}, { HOME: server.folder })).toThrow(/--kubeconfig/);
  });
});
