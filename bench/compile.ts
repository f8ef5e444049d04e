/**
 * What a change of the objects costs the edge's main process: a first compilation of the routing table at 1,000, 5,000 and
 * 10,000 Ingresses, each with a Service, a slice and a certificate of its own, and one change of each kind after it. CPU
 * time of this process, and the longest that the event loop was held up. `node bench/compile.ts [count ...]`
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { EndpointSlice } from '../src/api/kubernetes/endpoint-slice.ts';
import type { Ingress } from '../src/api/kubernetes/ingress.ts';
import type { Secret } from '../src/api/kubernetes/secret.ts';
import type { Service } from '../src/api/kubernetes/service.ts';
import { keyText } from '../src/api/meta.ts';
import { makeAuthority, type TestCertificate } from '../src/edge/certificates.testing.ts';
import { anIngress, aSecret, aService, aSlice } from '../src/edge/compile/builders.testing.ts';
import { prepareCertificates, sliceMs } from '../src/edge/compile/prepare-certificates.ts';
import { defaultCompileSettings } from '../src/edge/compile/settings.ts';
import type { Changes, Snapshot } from '../src/edge/compile/snapshot.ts';
import { emptyTable } from '../src/edge/compile/table.ts';
import { TableCompiler } from '../src/edge/compile/table-compiler.ts';
import { tableChanges } from '../src/edge/workers/table-changes.ts';
import { quantile } from './quantile.ts';

const rounds = 30;

/** The objects, as the caches of a process hold them. */
interface World {
  readonly ingresses: Map<string, Ingress>;
  readonly services: Map<string, Service>;
  readonly slices: Map<string, readonly EndpointSlice[]>;
  readonly secrets: Map<string, Secret>;
}

function worldOf(count: number, certificates: readonly TestCertificate[]): World {
  const world: World = { ingresses: new Map(), services: new Map(), slices: new Map(), secrets: new Map() };
  for (let index = 0; index < count; index += 1) {
    const name = `site-${index}`;
    const { chain, key } = certificates[index % certificates.length] ?? { chain: '', key: '' };
    world.ingresses.set(name, siteIngress(index, count));
    world.services.set(`default/${name}`, aService(name));
    world.slices.set(`default/${name}`, [aSlice(name, [{ addresses: [addressOf(index)] }])]);
    world.secrets.set(`default/${name}`, aSecret(name, { 'tls.crt': chain, 'tls.key': key }));
  }
  return world;
}

function siteIngress(index: number, count: number, path = '/'): Ingress {
  const name = `site-${index}`;
  return anIngress({
    name,
    createdAt: index - count,
    rules: {
      [`site-${index}.example.com`]: [
        [path, 'Prefix', name],
        ['/api', 'Prefix', name],
      ],
    },
    tls: [{ hosts: [`site-${index}.example.com`], secretName: name }],
  });
}

function addressOf(index: number): string {
  return `10.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

function snapshotOf(world: World): Snapshot {
  return {
    ingresses: [...world.ingresses.values()],
    ingressClasses: [],
    service: key => world.services.get(keyText(key)),
    secret: key => world.secrets.get(keyText(key)),
    endpointSlices: key => world.slices.get(keyText(key)) ?? [],
    endpoints: () => undefined,
  };
}

function cpuMs(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function show(what: string, values: readonly number[]): void {
  const [p50, p99] = [quantile(values, 0.5), quantile(values, 0.99)].map(ms => `${ms.toFixed(2)} ms`);
  console.log(`  ${what.padEnd(34)} p50 ${p50?.padStart(9)}   p99 ${p99?.padStart(9)}`);
}

async function run(count: number, certificates: readonly TestCertificate[]): Promise<void> {
  const settings = defaultCompileSettings;
  const world = worldOf(count, certificates);
  const compiler = new TableCompiler(settings);
  const nowMs = Date.now();
  console.log(`${count} Ingresses`);

  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const startedMs = performance.now();
  const pause = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  await prepareCertificates(snapshotOf(world), settings, pause, () => true);
  while (!compiler.advance(snapshotOf(world), sliceMs)) await pause();
  const preparedMs = performance.now() - startedMs;
  await pause();
  loop.disable();
  const heldMs = loop.max / 1e6;
  console.log(
    `  read beforehand, in slices               ${preparedMs.toFixed(0)} ms, loop held up to ${heldMs.toFixed(0)} ms`,
  );
  let last = emptyTable;
  const first = cpuMs(() => {
    last = compiler.compile(snapshotOf(world), nowMs).table;
  });
  console.log(`  put together                             ${first.toFixed(0)} ms`);
  if (last.hosts.size !== count) throw new Error(`${last.hosts.size} hosts`);

  const change = (what: string, act: (index: number) => Changes, entries: number): void => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const changes = act((round * 97) % count);
      const snapshot = snapshotOf(world);
      const before = last;
      times.push(
        cpuMs(() => {
          last = compiler.compile(snapshot, nowMs, changes).table;
        }),
      );
      const { hosts, backends, sni } = tableChanges(before, last);
      const set = hosts.set.length + backends.set.length + sni.set.length;
      if (set !== entries) throw new Error(`${what}: ${set} entries changed in the place of ${entries}`);
    }
    show(what, times);
  };
  const none: Changes = { secrets: new Set(), services: new Set() };
  let version = 0;
  change(
    'an Ingress gets another path',
    index => {
      version += 1;
      world.ingresses.set(`site-${index}`, siteIngress(index, count, `/v${version}`));
      return none;
    },
    1,
  );
  change(
    'an Ingress gets a status',
    index => {
      const before = world.ingresses.get(`site-${index}`);
      if (before !== undefined) world.ingresses.set(`site-${index}`, { ...before });
      return none;
    },
    0,
  );
  change(
    'an endpoint comes or goes',
    index => {
      version += 1;
      const name = `site-${index}`;
      const addresses = [addressOf(index), `10.99.${(version >> 8) & 255}.${version & 255}`];
      world.slices.set(`default/${name}`, [
        aSlice(
          name,
          addresses.map(address => ({ addresses: [address] })),
        ),
      ]);
      return { ...none, services: new Set([`default/${name}`]) };
    },
    1,
  );
  change(
    'a certificate is renewed',
    index => {
      const name = `site-${index}`;
      version += 1;
      const { chain, key } = certificates[(index + version) % certificates.length] ?? { chain: '', key: '' };
      world.secrets.set(
        `default/${name}`,
        aSecret(name, { 'tls.crt': `${chain}\n# ${version}`, 'tls.key': key }),
      );
      return { ...none, secrets: new Set([`default/${name}`]) };
    },
    1,
  );
  const everything: number[] = [];
  for (let round = 0; round < rounds; round += 1)
    everything.push(cpuMs(() => compiler.compile(snapshotOf(world), nowMs)));
  show('nothing changed, all looked at', everything);
}

const counts = process.argv.slice(2).map(Number);
const authority = await makeAuthority('Bench CA');
const certificates = await Promise.all(Array.from({ length: 100 }, () => authority.issue(['*.example.com'])));
for (const count of counts.length > 0 ? counts : [1_000, 5_000, 10_000]) await run(count, certificates);
