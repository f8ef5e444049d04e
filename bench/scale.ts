import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Environment, startEnvironment } from '../e2e/harness/environment.ts';
import { acmeClusterIssuer, caIssuer, ingress } from '../e2e/harness/manifests.ts';
import { type Certificate, certificates } from '../src/api/cert-manager/certificate.ts';
import { hasCondition } from '../src/api/condition.ts';
import { type Ingress, ingresses } from '../src/api/kubernetes/ingress.ts';
import { systemClock } from '../src/core/clock.ts';
import { silentLogger } from '../src/core/logger.ts';
import { createCaches } from '../src/kube/caches.ts';
import { createClusterApi } from '../src/kube/cluster/cluster-api.ts';
import type { KubeApi } from '../src/kube/port.ts';
import { countWrites } from './api-writes.ts';
import { childrenOf, treeCpuSeconds, treeMemoryMiB } from './edge/process-cpu.ts';
import { peakMemoryMiB, residentMiB } from './process-memory.ts';
import { quantile } from './quantile.ts';

/**
 * `make bench-scale N=1000`: N annotated Ingresses at once against a real API server with Pebble. `ISSUER=ca` takes a
 * CA issuer instead; `IDLE=300` leaves it idle for so many seconds then, and measures a cold start.
 */
const total = Number(process.env['N'] ?? '1000');
const byCa = process.env['ISSUER'] === 'ca';
/** KEY=RSA takes cert-manager's default: making one RSA key costs more than all the rest of a certificate. */
const keyAlgorithm = process.env['KEY'] ?? 'ECDSA';
const idleSeconds = Number(process.env['IDLE'] ?? (byCa && total >= 10_000 ? '300' : '0'));
const atOnce = 50;
/** By then all that a burst has left is forgotten and given back. */
const restMs = 110_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const environment = await startEnvironment({ line: 'current', posternArgs: ['--log-level', 'info'] });
const api = createClusterApi({
  kubeconfigPath: environment.cluster.adminKubeconfig,
  logger: silentLogger,
  userAgent: 'bench',
});
try {
  await scale(environment, api);
  if (idleSeconds > 0) await idle(environment);
  if (byCa) await coldStart(environment);
} finally {
  api.close();
  await environment.stop();
}

async function scale(environment: Environment, api: KubeApi): Promise<void> {
  const { cluster, pebble, postern } = environment;
  await cluster.apply(byCa ? caIssuer : acmeClusterIssuer('pebble', pebble.directoryUrl, pebble.rootCaPem));
  await environment.eventually('the issuer is Ready', async () => {
    const [kind, name] = byCa ? ['issuer', 'ca'] : ['clusterissuer', 'pebble'];
    const status = await cluster.kubectl([
      'get',
      kind,
      name,
      '-n',
      'default',
      '-o',
      'jsonpath={.status.conditions[0].status}',
    ]);
    return status === 'True';
  });
  const stop = new AbortController();
  const caches = createCaches({ api, clock: systemClock, logger: silentLogger });
  const cache = caches.cacheOf(certificates);
  const readyAt = new Map<string, number>();
  cache.onChange(({ after }) => {
    if (after !== undefined && isReady(after) && after.metadata.name?.startsWith('site-')) {
      const name = after.metadata.name;
      if (!readyAt.has(name)) readyAt.set(name, performance.now());
    }
  });
  caches.start(stop.signal);
  await caches.synced;

  const before = countWrites(await cluster.metrics());
  const cpuBefore = cpu();
  const from = performance.now();
  await applyAll(api);
  const applied = performance.now() - from;
  let last = 0;
  while (readyAt.size < total) {
    await sleep(100);
    if (performance.now() - last > 2_000) {
      last = performance.now();
      process.stderr.write(
        `\r${readyAt.size} of ${total} ready after ${((last - from) / 1000).toFixed(0)} s `,
      );
    }
    if (performance.now() - from > 3_600_000) throw new Error('not ready within an hour');
  }
  process.stderr.write('\n');
  stop.abort();
  const wall = (performance.now() - from) / 1000;
  const used = cpu();
  await sleep(5_000);
  const writes = countWrites(await cluster.metrics()).minus(before);
  const times = [...readyAt.values()].map(at => (at - from) / 1000);
  const perCertificate = (count: number): string => (count / total).toFixed(2);
  say(
    `${total} Ingresses at once, ${keyAlgorithm} keys, signed by ${byCa ? 'a CA issuer' : 'Pebble'}; Kubernetes ${cluster.version}`,
  );
  say(`  all ready after            ${wall.toFixed(1)} s (applied in ${(applied / 1000).toFixed(1)} s)`);
  say(
    `  ready, p50 / p99 / last    ${quantile(times, 0.5).toFixed(1)} / ${quantile(times, 0.99).toFixed(1)} / ${quantile(times, 1).toFixed(1)} s`,
  );
  say(
    `  the last 1 % took          ${(quantile(times, 1) - quantile(times, 0.99)).toFixed(2)} s; at the median rate it would be ${((quantile(times, 0.5) / total / 0.5) * (total * 0.01)).toFixed(2)} s`,
  );
  say(
    `  CPU of Postern             ${(used.postern - cpuBefore.postern).toFixed(1)} s; API server ${(used.apiServer - cpuBefore.apiServer).toFixed(1)} s, etcd ${(used.etcd - cpuBefore.etcd).toFixed(1)} s`,
  );
  say(
    `  API writes a certificate   ${perCertificate(writes.objects - total)} of objects (the Ingress itself left out), ${perCertificate(writes.events)} events`,
  );
  for (const { what, count } of writes.rows) say(`    ${perCertificate(count).padStart(6)}  ${what}`);
  say(
    `  memory of Postern          ${memoryOf(postern.pid)}; the main process at most ${peakMemoryMiB(postern.pid)} MiB`,
  );

  function cpu(): { postern: number; apiServer: number; etcd: number } {
    const { apiServer, etcd } = cluster.processes;
    return {
      postern: treeCpuSeconds(postern.pid),
      apiServer: apiServer.cpuSeconds(),
      etcd: etcd.cpuSeconds(),
    };
  }
}

async function applyAll(api: KubeApi): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < total; index = next++) {
      const name = `site-${index}`;
      const annotations = {
        [byCa ? 'cert-manager.io/issuer' : 'cert-manager.io/cluster-issuer']: byCa ? 'ca' : 'pebble',
        'cert-manager.io/private-key-algorithm': keyAlgorithm,
      };
      await api.create(
        ingresses,
        JSON.parse(ingress({ name, host: `${name}.example.com`, annotations })) as Ingress,
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function idle({ cluster, postern }: Environment): Promise<void> {
  await sleep(10_000);
  const before = countWrites(await cluster.metrics());
  const cpuBefore = treeCpuSeconds(postern.pid);
  const requestsBefore = await posternRequests();
  await sleep(idleSeconds * 1_000);
  // Before the metrics of ten thousand certificates are asked for: they leave more behind than all the idle time.
  const memory = memoryOf(postern.pid);
  const writes = countWrites(await cluster.metrics()).minus(before);
  const requests = (await posternRequests()) - requestsBefore;
  say(`Idle for ${idleSeconds} s`);
  say(`  memory of Postern          ${memory}`);
  say(
    `  API requests               ${(requests / idleSeconds).toFixed(2)} a second; writes ${writes.objects + writes.events}`,
  );
  say(
    `  CPU of Postern             ${(((treeCpuSeconds(postern.pid) - cpuBefore) / idleSeconds) * 100).toFixed(2)} % of one core`,
  );
}

async function coldStart(environment: Environment): Promise<void> {
  environment.postern.signal('SIGTERM');
  await environment.postern.exited;
  const { apiServer } = environment.cluster.processes;
  const servers = apiServer.cpuSeconds();
  const from = performance.now();
  const postern = await environment.startPostern();
  const ready = (performance.now() - from) / 1000;
  // Not more often: the metrics of ten thousand certificates are a piece of work of their own.
  while (!(await isAllChecked())) await sleep(1_000);
  const checked = (performance.now() - from) / 1000;
  say(`Cold start
  ready after                ${ready.toFixed(1)} s
  every Certificate checked  ${checked.toFixed(1)} s, ${treeCpuSeconds(postern.pid).toFixed(1)} s of CPU, of the API server ${(apiServer.cpuSeconds() - servers).toFixed(1)} s`);
  say(
    `  memory                     ${memoryOf(postern.pid)}; the main process at most ${peakMemoryMiB(postern.pid)} MiB`,
  );
  if (idleSeconds === 0) return;
  await sleep(restMs);
  say(`  after ${restMs / 1_000} s               ${memoryOf(postern.pid)}`);
}

/** Whether each Certificate has been looked at since the start, and nothing is left to be done. */
async function isAllChecked(): Promise<boolean> {
  const text = await metrics();
  const seen = /^postern_reconcile_total\{controller="certificates",outcome="success"\} (\d+)$/m.exec(
    text,
  )?.[1];
  const depths = [...text.matchAll(/^postern_queue_depth\{.*\} (\d+)$/gm)].map(([, depth]) => Number(depth));
  return Number(seen ?? 0) >= total && depths.every(depth => depth === 0);
}

function metrics(): Promise<string> {
  return fetch('http://10.77.0.1:9402/metrics').then(answer => answer.text());
}

/** What Postern itself counted, all verbs. */
async function posternRequests(): Promise<number> {
  return [...(await metrics()).matchAll(/^postern_kube_requests_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

/** Shared pages count once for each process; in the sum, by their part. */
function memoryOf(pid: number): string {
  const workers = childrenOf(pid).map(worker => `${residentMiB(worker)} MiB`);
  const each = workers.length === 0 ? '' : `; the edge's workers ${workers.join(', ')}`;
  return `the main process ${residentMiB(pid)} MiB${each}; all of it ${treeMemoryMiB(pid).toFixed(0)} MiB`;
}

function isReady(certificate: Certificate): boolean {
  return hasCondition(certificate.status?.conditions, 'Ready');
}
