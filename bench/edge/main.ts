import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bed, endServer, prepareBed, startUpstreams, untilServed } from './bed.ts';
import { http2, type Load, resumedHandshakes, webSocket, wrk } from './load.ts';
import { treeCpuSeconds, treeMemoryMiB } from './process-cpu.ts';
import { type ProxyName, proxies } from './proxies.ts';
import { measureRouting } from './routing.ts';
import { median, type Sample, table } from './table.ts';

/**
 * `make bench-edge`: Postern, nginx, HAProxy and Caddy in turn, in one run: the same certificate and upstream, each proxy
 * alone on core 0, the load and the upstream on core 1, several rounds, medians. SCENARIOS=, PROXIES= (comma lists), ROUNDS=
 * and SECONDS= narrow it.
 */
interface Scenario {
  readonly name: string;
  readonly unit: 'request' | 'connection' | 'message';
  readonly load: Load;
  readonly secureUpstream?: boolean;
}

const upload = (bytes: number): Load =>
  wrk({ path: '/upload', script: `wrk.method = "POST"; wrk.body = string.rep("x", ${bytes})\n` });

const scenarios: readonly Scenario[] = [
  { name: 'keep-alive, 1 KiB', unit: 'request', load: wrk({}) },
  { name: 'keep-alive, 64 KiB', unit: 'request', load: wrk({ path: '/64k' }) },
  { name: 'keep-alive, 1 MiB', unit: 'request', load: wrk({ path: '/1m' }) },
  { name: 'upload, 64 KiB', unit: 'request', load: upload(65_536) },
  { name: 'upload, 1 MiB', unit: 'request', load: upload(1_048_576) },
  { name: 'full handshake each', unit: 'connection', load: wrk({ headers: { Connection: 'close' } }) },
  { name: 'resumed handshake each', unit: 'connection', load: resumedHandshakes },
  { name: 'HTTPS upstream, 1 KiB', unit: 'request', load: wrk({}), secureUpstream: true },
  { name: 'HTTP/2, 1 KiB', unit: 'request', load: http2('/1k') },
  { name: 'HTTP/2, 1 MiB', unit: 'request', load: http2('/1m') },
  { name: 'WebSocket, 1 KiB', unit: 'message', load: webSocket },
];

const rounds = Number(process.env['ROUNDS'] ?? '3');
const seconds = Number(process.env['SECONDS'] ?? '4');
const listed = (name: string, all: readonly string[]): string[] => {
  const asked = process.env[name]?.split(',').map(one => one.trim().toLowerCase());
  return all.filter(one => asked === undefined || asked.some(part => one.toLowerCase().includes(part)));
};
const proxyNames = listed('PROXIES', Object.keys(proxies)) as ProxyName[];
const port = 28_443;

const dir = await mkdtemp(join(tmpdir(), 'postern-bench-'));
const bed = await prepareBed(dir);
const upstreams = await startUpstreams(bed);
try {
  const names = listed('SCENARIOS', [...scenarios.map(({ name }) => name), 'routing']);
  for (const scenario of scenarios.filter(({ name }) => names.includes(name))) {
    const samples = new Map<ProxyName, Sample>();
    for (const name of proxyNames) samples.set(name, await measure(bed, name, scenario));
    process.stdout.write(`${table(scenario.name, scenario.unit, samples)}\n`);
  }
  if (names.includes('routing')) process.stdout.write(await measureRouting(bed, port, rounds, seconds));
} finally {
  for (const upstream of upstreams) await endServer(upstream);
  if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
}

/** A proxy under a scenario's load: a short warm-up, then the rounds; each figure is the median of its rounds. */
async function measure(bed: Bed, name: ProxyName, scenario: Scenario): Promise<Sample> {
  const proxy = await proxies[name](bed, { port, secureUpstream: scenario.secureUpstream === true });
  try {
    await untilServed(proxy, bed, port);
    await scenario.load(bed, port, 2);
    const samples: Sample[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      process.stderr.write(`\r${scenario.name}: ${name}, round ${round} of ${rounds}        `);
      const before = treeCpuSeconds(proxy.pid);
      const result = await scenario.load(bed, port, seconds);
      const cpuSeconds = treeCpuSeconds(proxy.pid) - before;
      samples.push({
        perSecond: result.count / result.seconds,
        cpuMicroseconds: (cpuSeconds * 1e6) / Math.max(1, result.count),
        p50: result.p50,
        p99: result.p99,
        p999: result.p999,
        memoryMiB: treeMemoryMiB(proxy.pid),
        failed: result.failed,
      });
    }
    process.stderr.write('\r');
    return median(samples);
  } finally {
    await endServer(proxy);
  }
}
