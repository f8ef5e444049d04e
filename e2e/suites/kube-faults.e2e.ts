import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { orders } from '../../src/api/acme/order.ts';
import { certificateRequests } from '../../src/api/cert-manager/certificate-request.ts';
import { acmeTally } from '../harness/acme-tally.ts';
import { type Environment, places, startEnvironment } from '../harness/environment.ts';
import {
  firstOfEach,
  gone,
  type KubeFault,
  type KubeFaultProxy,
  type KubeRequest,
  startKubeFaultProxy,
} from '../harness/kube-fault-proxy.ts';
import { linesToTest } from '../harness/lines.ts';
import { acmeClusterIssuer, ingress, tlsSecret } from '../harness/manifests.ts';
import { type ObjectView, viewOf } from '../harness/object-view.ts';
import { startRequestLoop } from '../harness/request-loop.ts';
import { killServer, type ServerProcess } from '../harness/server-process.ts';
import { createTestAuthority } from '../harness/test-authority.ts';
import { controlPlaneAddress } from '../netns.ts';

const [line = '1.20'] = await linesToTest();
const steadyHost = 'steady.example.com';
const isWrite = ({ isWrite }: KubeRequest) => isWrite;
/** Status writes keep their object's path but for the end. */
const conflict = {
  status: 409,
  reason: 'Conflict',
  message: 'the object has been modified; please apply your changes',
};

describe(`faults of the API server, each got over within a stated time, on Kubernetes ${line}`, () => {
  let environment: Environment;
  let proxy: KubeFaultProxy;
  let view: ObjectView;
  let args: readonly string[];
  let steadyCa: readonly string[];
  let sites = 0;

  beforeAll(async () => {
    environment = await startEnvironment({ line, withPostern: false });
    const { api, cluster, pebble, dir } = environment;
    view = viewOf(api);
    proxy = await startKubeFaultProxy(cluster, controlPlaneAddress);
    const authority = await createTestAuthority('e2e sites');
    steadyCa = [authority.caPem];
    const identity = await authority.issue({ commonName: 'sites', dnsNames: [steadyHost] });
    await cluster.apply(
      [
        acmeClusterIssuer('pebble', pebble.directoryUrl, pebble.rootCaPem),
        tlsSecret('sites', identity),
        ingress({ name: 'steady', host: steadyHost, secretName: 'sites' }),
      ].join('\n---\n'),
    );
    const kubeconfig = join(dir, 'cluster', 'postern-system.postern.kubeconfig');
    args = ['--kubeconfig', await proxy.kubeconfigThrough(kubeconfig), '--leader-elect=false'];
    await environment.startPostern(args);
    await environment.eventually('the issuer is Ready, the site served', async () => {
      await steadyAnswers();
      return (await cluster.kubectl(['get', 'clusterissuer', 'pebble', '-o', 'json'])).includes(
        'ACMEAccountRegistered',
      );
    });
  });

  afterEach(() => {
    proxy.script();
  });

  afterAll(async () => {
    await environment?.stop();
    await proxy?.stop();
  });

  const steadyAnswers = async (): Promise<void> => {
    const { status } = await environment.get(steadyHost, { ca: steadyCa });
    if (status !== 200) throw new Error(`https://${steadyHost} answers ${status}`);
  };

  const tally = () => acmeTally(join(environment.dir, 'pebble'));

  /** Applies Ingresses. Gives their names. */
  const addSites = async (count = 1): Promise<readonly string[]> => {
    const names = Array.from({ length: count }, (_, index) => `site-${sites + index + 1}`);
    sites += count;
    const annotations = { 'cert-manager.io/cluster-issuer': 'pebble' };
    const texts = names.map(name => ingress({ name, host: `${name}.example.com`, annotations }));
    await environment.cluster.apply(texts.join('\n---\n'));
    return names;
  };

  /** Waits for the sites, 30 s for each, and holds each to have been issued once, with `ordersEach` orders at most. */
  const expectIssuedOnce = async (
    names: readonly string[],
    before: Awaited<ReturnType<typeof tally>>,
    { ordersEach = 1 }: { readonly ordersEach?: number } = {},
  ) => {
    const serials = new Set<string | undefined>();
    for (const name of names) {
      const certificate = await environment.eventually(`${name} is Ready`, () =>
        view.readyCertificate(`${name}-tls`),
      );
      expect(certificate.status).toMatchObject({ revision: 1 });
      expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
      serials.add(await view.serial(`${name}-tls`));
    }
    await environment.eventually('nothing is left over', async () => (await view.leftovers()).length === 0);
    const after = await tally();
    const issued = after.issued.slice(before.issued.length);
    expect(after.finalized.size - before.finalized.size).toBe(names.length);
    expect(issued).toEqual(expect.arrayContaining([...serials]));
    expect(after.orders - before.orders).toBeLessThanOrEqual(ordersEach * names.length);
    for (const resource of [certificateRequests, orders]) {
      const belonging = (await view.list<{ metadata: { name?: string } }>(resource as never)).filter(
        ({ metadata }) => names.some(name => metadata.name?.startsWith(`${name}-tls-`)),
      );
      expect(belonging).toHaveLength(names.length);
    }
  };

  it('watches are cut again and again; 30 s, and changes are seen afterwards', async () => {
    const before = await tally();
    const names = [...(await addSites(2))];
    for (let cut = 0; cut < 10; cut += 1) {
      proxy.cutWatches();
      await sleep(100);
    }
    names.push(...(await addSites()));
    await expectIssuedOnce(names, before);
    await environment.eventually('all is watched again', async () => proxy.openWatches > 10);
  });

  it('watches end with 410 in the stream; 30 s', async () => {
    const before = await tally();
    const names = [...(await addSites(2))];
    expect(proxy.expireWatches()).toBeGreaterThan(10);
    names.push(...(await addSites()));
    await expectIssuedOnce(names, before);
  });

  it('watches are answered with 410; 30 s', async () => {
    const before = await tally();
    proxy.script(firstOfEach(({ isWatch }) => isWatch, gone));
    expect(proxy.cutWatches()).toBeGreaterThan(10);
    const names = await addSites(2);
    await expectIssuedOnce(names, before);
  });

  it.each<[string, KubeFault]>([
    ['409 on every first write', firstOfEach(isWrite, conflict)],
    [
      '429 with Retry-After on every first write',
      firstOfEach(isWrite, { status: 429, reason: 'TooManyRequests', headers: { 'retry-after': '1' } }),
    ],
    ['500 on every first write', firstOfEach(isWrite, { status: 500, reason: 'InternalError' })],
    [
      '503 on every first request of each kind',
      firstOfEach(() => true, { status: 503, reason: 'ServiceUnavailable' }),
    ],
  ])('%s; 30 s', async (_what, fault) => {
    const before = await tally();
    proxy.script(fault);
    const names = await addSites(2);
    await expectIssuedOnce(names, before);
  });

  it('the API server is away for 60 s: carried on within 30 s, and the edge serves all the while', async () => {
    const before = await tally();
    const names = [...(await addSites(2))];
    await sleep(100);
    await proxy.goAway();
    const loop = startRequestLoop(steadyAnswers, 200);
    await sleep(60_000);
    expect(environment.postern.isRunning()).toBe(true);
    names.push(...(await addSites()));
    await proxy.comeBack();
    await expectIssuedOnce(names, before, { ordersEach: 2 });
    expect(await loop.stop()).toBeGreaterThan(10);
  }, 120_000);

  describe('two replicas both think that they lead', () => {
    let other: ServerProcess;

    beforeAll(async () => {
      other = await environment.startPostern(args, places.second);
    });

    afterAll(async () => {
      await killServer(other);
    });

    it('for a while: each site gets one certificate within 30 s, and they do not write against each other', async () => {
      const before = await tally();
      proxy.script();
      const names = await addSites(5);
      await expectIssuedOnce(names, before, { ordersEach: 2 });
      expect(proxy.writes.length).toBeLessThan(60 * names.length);
      // Events may be written for a while yet; those who write against each other are never done.
      await environment.eventually('nobody writes any more', async () => {
        const count = proxy.writes.length;
        await sleep(3_000);
        return proxy.writes.length - count < 5;
      });
    });
  });
});
