import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { updateAccount } from '../../src/acme/account.ts';
import { openAcme } from '../../src/acme/connection.ts';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { clusterIssuers, type Issuer } from '../../src/api/cert-manager/issuer.ts';
import { type Ingress, ingresses } from '../../src/api/kubernetes/ingress.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { type AcmeFaultProxy, startAcmeFaultProxy } from '../harness/acme-fault-proxy.ts';
import {
  answers,
  cuts,
  edits,
  forwardsBut,
  garbles,
  hangs,
  on,
  refuses,
  refusesNonce,
  truncates,
} from '../harness/acme-faults.ts';
import { eventually } from '../harness/eventually.ts';
import { freePort } from '../harness/free-port.ts';
import { acmeClusterIssuer, ingress } from '../harness/manifests.ts';
import { type ObjectView, viewOf } from '../harness/object-view.ts';
import { type Pebble, startPebble } from '../harness/pebble.ts';
import {
  type InProcess,
  standaloneArgs,
  startInProcess,
  writeManifests,
} from '../harness/postern-in-process.ts';
import { createShiftedClock } from '../harness/shifted-clock.ts';

const hourMs = 3_600_000;
/** All steps of an issuance, as the ACME server sees them. */
const steps = ['new-order', 'authorization', 'challenge', 'order', 'finalize', 'certificate'] as const;

describe('faults of the ACME server, each got over within a stated time', () => {
  const clock = createShiftedClock();
  const stack = new AsyncDisposableStack();
  let pebble: Pebble;
  let proxy: AcmeFaultProxy;
  let postern: InProcess;
  let view: ObjectView;
  let logFile: string;
  let sites = 0;

  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'postern-acme-faults-'));
    stack.defer(async () => {
      if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
    });
    const httpPort = await freePort('127.0.0.1');
    pebble = await startPebble({
      dir: join(dir, 'pebble'),
      httpPort,
      tlsPort: httpPort,
      dnsDefault: '127.0.0.1',
    });
    stack.defer(() => pebble.stop());
    proxy = await startAcmeFaultProxy(pebble);
    stack.defer(() => proxy.stop());
    const manifests = join(dir, 'manifests');
    await writeManifests(manifests, {
      'issuer.json': acmeClusterIssuer('pebble', proxy.directoryUrl, proxy.rootCaPem),
    });
    logFile = join(dir, 'postern.log');
    const log = createWriteStream(logFile);
    stack.defer(() => void log.end());
    const args = standaloneArgs({
      manifests,
      stateDir: join(dir, 'state'),
      httpPort,
      dnsAddress: pebble.dnsAddress,
    });
    postern = await startInProcess({ args: [...args, '--log-level', 'debug'], clock, log });
    stack.defer(() => postern.stop());
    view = viewOf(postern.api);
    await issuerReady('pebble');
  });

  afterEach(() => {
    proxy.script();
  });

  afterAll(async () => {
    await stack.disposeAsync();
  });

  const issuerReady = (name: string, timeoutMs = 10_000) =>
    eventually(
      `ClusterIssuer ${name} is Ready`,
      async () => {
        const issuer = await postern.api.get(clusterIssuers, { namespace: '', name });
        return issuer.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
      },
      { timeoutMs, logFile },
    );

  /** Adds a site. Gives the name of its Certificate. */
  const addSite = async (issuer = 'pebble'): Promise<string> => {
    sites += 1;
    const name = `site-${sites}`;
    const text = ingress({
      name,
      host: `${name}.example.com`,
      annotations: {
        'cert-manager.io/cluster-issuer': issuer,
        'cert-manager.io/private-key-algorithm': 'ECDSA',
      },
    });
    await postern.api.create(ingresses, JSON.parse(text) as Ingress);
    return `${name}-tls`;
  };

  const ready = async (name: string, withinMs: number) => {
    const certificate = await eventually(`${name} is Ready`, () => view.readyCertificate(name), {
      timeoutMs: withinMs,
      logFile,
    });
    await eventually('nothing is left over', async () => (await view.leftovers()).length === 0, { logFile });
    return certificate;
  };

  /** Adds a site and waits for its certificate. Gives how long that took. */
  const issued = async (withinMs: number): Promise<number> => {
    const startedAt = performance.now();
    const name = await addSite();
    const certificate = await ready(name, withinMs);
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    expect(proxy.records.filter(one => one.action === 'finalize' && one.serverStatus === 200)).toHaveLength(
      1,
    );
    return performance.now() - startedAt;
  };

  it.each([
    ['one in 20', 20, 5_000],
    ['every second one', 2, 10_000],
  ])('nonces are refused, %s: at once', async (_share, each, withinMs) => {
    proxy.script({ fault: refusesNonce, on: ({ method }) => method === 'POST', each });
    await issued(withinMs);
    await issuedAgain();
    expect(proxy.records.filter(({ outcome }) => outcome === 400).length).toBeGreaterThan(0);
  });

  /** A second certificate, so that a fault of one request in 20 is met. */
  const issuedAgain = async () => {
    for (let more = 0; more < 3; more += 1) await ready(await addSite(), 10_000);
  };

  it.each([
    ['500 without a body', answers(500)],
    ['500 with a problem', refuses(500, 'serverInternal', 'the database is away')],
    ['a page of a proxy with 502', answers(502, { 'content-type': 'text/html' }, { no: 'problem' })],
    ['the connection is cut before the answer', cuts],
    ['half an answer', truncates],
    ['JSON that is none', garbles],
  ])('each step fails twice, %s: 10 s', async (_fault, fault) => {
    // What the server has done although nobody heard of it must not be done twice, where that can be known.
    proxy.script(...steps.map(step => on(step, fault, 2)));
    const name = await addSite();
    const certificate = await ready(name, 10_000);
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    expect(proxy.records.filter(one => one.action === 'finalize' && one.serverStatus === 200)).toHaveLength(
      1,
    );
  });

  it.each([
    [
      '503 with Retry-After in seconds',
      () => refuses(503, 'serverInternal', 'maintenance', { 'retry-after': '2' }),
    ],
    [
      '429 with Retry-After in seconds',
      () => refuses(429, 'rateLimited', 'slow down', { 'retry-after': '2' }),
    ],
    [
      '429 with Retry-After as a date',
      () =>
        refuses(429, 'rateLimited', 'slow down', {
          'retry-after': new Date(clock.now() + 3_000).toUTCString(),
        }),
    ],
    [
      '429 with the time in its words alone',
      () => {
        const at = new Date(clock.now() + 3_000).toISOString().slice(0, 19).replace('T', ' ');
        return refuses(429, 'rateLimited', `too many orders, retry after ${at} UTC`);
      },
    ],
  ])('%s: waited for, and no longer than 3 s more', async (_fault, fault) => {
    proxy.script(on('new-order', fault(), 1));
    const tookMs = await issued(8_000);
    expect(tookMs).toBeGreaterThan(1_900);
    const [first, second] = proxy.records.filter(({ action }) => action === 'new-order');
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(1_900);
    expect(proxy.count('new-order')).toBe(2);
  });

  it('connections are refused for 2 s: 10 s', async () => {
    await proxy.goAway();
    const name = await addSite();
    await new Promise(resolve => setTimeout(resolve, 2_000));
    await proxy.comeBack();
    await ready(name, 8_000);
  });

  it('the server hangs at each step once: the deadline of a request, 15 s each, and 10 s', async () => {
    proxy.script(...steps.map(step => on(step, hangs, 1)));
    const name = await addSite();
    const passing = setInterval(() => {
      if (proxy.records.some(({ outcome }) => outcome === 'hang')) clock.pass(15_000);
    }, 500);
    try {
      await ready(name, 20_000);
    } finally {
      clearInterval(passing);
    }
    expect(proxy.records.filter(({ outcome }) => outcome === 'hang').length).toBeGreaterThan(3);
  });

  it('finalize answers 403 although the order is valid: at once', async () => {
    proxy.script(on('finalize', forwardsBut(refuses(403, 'orderNotReady', "order's status is valid")), 1));
    await issued(5_000);
    expect(proxy.count('new-order')).toBe(1);
  });

  it('the answer to a new order is lost: one order more, and no second certificate', async () => {
    proxy.script(on('new-order', forwardsBut(cuts), 1));
    await issued(5_000);
    expect(proxy.records.filter(one => one.action === 'new-order' && one.serverStatus === 201)).toHaveLength(2);
  });

  it('an authorization goes invalid: said, and tried again after the hour of the back-off', async () => {
    proxy.script(
      on(
        'challenge',
        edits(json => ({
          ...json,
          status: 'invalid',
          error: { type: 'urn:ietf:params:acme:error:connection', detail: 'no route to host' },
        })),
        1,
      ),
    );
    const name = await addSite();
    const failed = await eventually('the failure is recorded', async () => {
      const found = await view.find(certificates, name);
      return found?.status?.failedIssuanceAttempts === 1 && found;
    });
    expect(JSON.stringify(failed.status?.conditions)).toContain('no route to host');
    proxy.script();
    clock.pass(hourMs);
    const certificate = await ready(name, 10_000);
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    expect(proxy.count('new-order')).toBe(1);
  });

  it('an order expires: tried again after the hour of the back-off', async () => {
    proxy.script(
      on('finalize', refuses(404, 'malformed', 'Order not found or expired')),
      on('order', refuses(404, 'malformed', 'Order not found or expired')),
    );
    const name = await addSite();
    await eventually('the failure is recorded', async () => {
      const found = await view.find(certificates, name);
      return found?.status?.failedIssuanceAttempts === 1;
    });
    proxy.script();
    clock.pass(hourMs);
    await ready(name, 10_000);
  });

  it('a directory that loses a field serves on as it was; a new issuer waits for it: 10 s', async () => {
    const withoutOrders = edits(({ newOrder: _newOrder, ...rest }) => rest);
    proxy.script(on('directory', withoutOrders));
    clock.pass(hourMs + 1_000);
    await issued(5_000);
    expect(proxy.count('directory')).toBeGreaterThan(0);

    const issuer = JSON.parse(acmeClusterIssuer('second', proxy.directoryUrl, proxy.rootCaPem)) as Issuer;
    await postern.api.create(clusterIssuers, issuer);
    const message = await eventually('the issuer says what is missing', async () => {
      const found = await postern.api.get(clusterIssuers, { namespace: '', name: 'second' });
      return found.status?.conditions?.find(({ status }) => status === 'False')?.message;
    });
    expect(message).toContain('newOrder');
    proxy.script();
    await issuerReady('second', 10_000);
    await ready(await addSite('second'), 10_000);
  });

  it('an account is deactivated: the issuer says so, and a new key brings it back: 10 s', async () => {
    const name = 'deactivated';
    const issuer = JSON.parse(acmeClusterIssuer(name, proxy.directoryUrl, proxy.rootCaPem)) as Issuer;
    await postern.api.create(clusterIssuers, issuer);
    await issuerReady(name);
    await deactivate(name);
    const certificate = await addSite(name);
    const condition = await eventually('the issuer says it', async () => {
      const found = await postern.api.get(clusterIssuers, { namespace: '', name });
      return found.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'False');
    });
    expect(condition.message).toContain('deactivated');
    await postern.api.delete(secrets, { namespace: 'kube-system', name: `${name}-account` });
    await ready(certificate, 10_000);
  });

  /** Deactivates the account of an issuer, as its owner does it who has lost the key to somebody. */
  const deactivate = async (issuer: string): Promise<void> => {
    const secret = await postern.api.get(secrets, { namespace: 'kube-system', name: `${issuer}-account` });
    const { status } = await postern.api.get(clusterIssuers, { namespace: '', name: issuer });
    const connection = openAcme({
      directoryUrl: proxy.directoryUrl,
      accountKeyPem: Buffer.from(secret.data?.['tls.key'] ?? '', 'base64').toString(),
      accountUrl: status?.acme?.uri,
      caBundlePem: proxy.rootCaPem,
    });
    expect((await updateAccount(connection, { deactivate: true })).status).toBe('deactivated');
    connection.close();
  };
});
