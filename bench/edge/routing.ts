import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { encodePrivateKey, generatePrivateKey } from '../../src/pki/private-key.ts';
import { selfSign } from '../../src/pki/sign.ts';
import { subjectName } from '../../src/pki/subject.ts';
import { peakMemoryMiB, residentMiB } from '../process-memory.ts';
import { type Bed, endServer, loopback, siteHost, untilServed } from './bed.ts';
import { wrk } from './load.ts';
import { childrenOf, treeCpuSeconds, treeMemoryMiB } from './process-cpu.ts';
import { secret, service, site, startPostern } from './proxies.ts';
import { median, type Sample, table } from './table.ts';

const sizes = [1, 1_000, 10_000];

/**
 * Postern with 1, 1,000 and 10,000 Ingresses, each with a certificate of its own, and requests spread over all hosts; and what
 * memory the worker has after these, and at most after two handshakes with each name.
 */
export async function measureRouting(
  bed: Bed,
  port: number,
  rounds: number,
  seconds: number,
): Promise<string> {
  const samples = new Map<string, Sample>();
  let memory = '';
  for (const size of sizes) {
    const { sample, loadedMiB, mostMiB } = await measureSize(bed, port, size, rounds, seconds);
    samples.set(`${size} Ingresses`, sample);
    memory += `Memory of the worker with ${size}: ${loadedMiB} MiB, at most ${mostMiB} MiB with all names asked for.\n`;
  }
  const [one, , many] = sizes.map(size => samples.get(`${size} Ingresses`)?.perSecond ?? 0);
  const share = ((many ?? 0) / (one ?? 1)).toFixed(2);
  const text = table('routing, 1 KiB', 'request', samples);
  return `${text}\n10,000 Ingresses and certificates: ${share} of the requests/s with one.\n${memory}`;
}

async function measureSize(
  bed: Bed,
  port: number,
  size: number,
  rounds: number,
  seconds: number,
): Promise<{ readonly sample: Sample; readonly loadedMiB: number; readonly mostMiB: number }> {
  const objects: object[] = [
    ...site(bed, siteHost),
    secret('site', bed.site.certPem, bed.site.keyPem, bed.authority.caPem),
    ...service(bed, 'web', bed.upstream.plain),
    ...service(bed, 'echo', bed.upstream.webSocket),
  ];
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  for (let n = 1; n < size; n += 1) {
    if (n % 500 === 0) process.stderr.write(`\rrouting: certificate ${n} of ${size}     `);
    const host = hostOf(n);
    const chain = await selfSign({
      key,
      subject: subjectName({ commonName: host }),
      dnsNames: [host],
      usages: ['digital signature', 'server auth'],
      notBeforeMs: Date.now() - 3_600_000,
      notAfterMs: Date.now() + 86_400_000,
    });
    objects.push(
      ...site(bed, host, false, `tls-${n}`),
      secret(`tls-${n}`, chain, encodePrivateKey(key), chain),
    );
  }
  const proxy = await startPostern(bed, port, objects);
  try {
    await untilServed(proxy, bed, port);
    const load = wrk({ script: spread(size) });
    await load(bed, port, 2);
    await untilQuiet(proxy.pid);
    const samples: Sample[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      process.stderr.write(`\rrouting: ${size} Ingresses, round ${round} of ${rounds}     `);
      const before = treeCpuSeconds(proxy.pid);
      const { count, seconds: took, ...times } = await load(bed, port, seconds);
      samples.push({
        ...times,
        perSecond: count / took,
        cpuMicroseconds: ((treeCpuSeconds(proxy.pid) - before) * 1e6) / Math.max(1, count),
        memoryMiB: treeMemoryMiB(proxy.pid),
      });
    }
    const worker = childrenOf(proxy.pid)[0] ?? 0;
    const loadedMiB = residentMiB(worker);
    await shakeHands(port, size);
    await shakeHands(port, size);
    return { sample: median(samples), loadedMiB, mostMiB: peakMemoryMiB(worker) };
  } finally {
    await endServer(proxy);
  }
}

const hostOf = (n: number): string => `site-${n}.example.org`;

/** A handshake with each name, a few at a time. */
async function shakeHands(port: number, size: number): Promise<void> {
  let next = 1;
  const some = async (): Promise<void> => {
    while (next < size) {
      const servername = hostOf(next);
      next += 1;
      const socket = connect({ host: loopback, port, servername, rejectUnauthorized: false });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: 8 }, some));
}

/** After a start the main process still stores and tidies up; what is measured is the serving. */
async function untilQuiet(pid: number): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const before = treeCpuSeconds(pid);
    await sleep(1_000);
    if (treeCpuSeconds(pid) - before < 0.03) return;
  }
}

/**
 * Requests for the hosts in no order, 4,096 made ready beforehand, so that the load program has no more to do than with one
 * host. All differ by a field, so that with one host, too, no request repeats the one before.
 */
function spread(size: number): string {
  return `local made = {}
init = function(args)
  math.randomseed(7)
  for n = 1, 4096 do
    local headers = { ["Host"] = ${size === 1 ? `"${siteHost}"` : `"site-" .. math.random(1, ${size - 1}) .. ".example.org"`}, ["X-Number"] = n }
    made[n] = wrk.format("GET", "/1k", headers)
  end
end
local at = 0
request = function()
  at = at % 4096 + 1
  return made[at]
end
`;
}
