import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { type PathSpec, pairSecret, serviceAt, site, slice } from '../e2e/edge/objects.ts';
import { createWorld, sharedObjects, upstreamAt, type World } from '../e2e/edge/world.ts';
import { edgeAddress } from '../e2e/netns.ts';
import { endpointSlices } from '../src/api/kubernetes/endpoint-slice.ts';
import { ingresses } from '../src/api/kubernetes/ingress.ts';
import { secrets } from '../src/api/kubernetes/secret.ts';
import type { KubeApi } from '../src/kube/port.ts';
import { quantile } from './quantile.ts';

/**
 * `make bench-edge-change`: how soon a change is in effect at 5,000 Ingresses (N), with a real API server and an edge of two
 * workers. From the API server's answer to the write, to the answer of the first request that is served by it: on each of
 * several connections, which between them reach both workers.
 */
const count = Number(process.env['N'] ?? '5000');
const rounds = Number(process.env['ROUNDS'] ?? '100');
/** Services with their slices, and Secrets, which the Ingresses share. */
const shared = Math.min(count, 500);
const connections = 6;
/** Between two requests of one connection, and between two handshakes, which cost the edge more than what is measured. */
const pauseMs = { request: 1, handshake: 10 } as const;

const nameOf = (index: number): string => `site-${index}`;
const hostOf = (index: number): string => `${nameOf(index)}.example.com`;
const sharedName = (index: number): string => `shared-${index % shared}`;
const key = (name: string) => ({ namespace: 'default', name });

const world = await createWorld('current');
try {
  const { api } = world.bed;
  if (api === undefined) throw new Error('there is no API server');
  await fill(world);
  const postern = await world.bed.start(['--components', 'edge']);
  const results = new Map<string, number[]>();
  for (const [what, change] of Object.entries(kindsOfChange(world, api))) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      times.push(await change(Math.floor((round * count) / rounds), round));
      await sleep(20);
    }
    results.set(what, times);
    process.stderr.write(`${what}: done\n`);
  }
  const row = (what: string, times: readonly number[]): string =>
    `| ${what} | ${[0.5, 0.9, 0.99, 1].map(share => `${quantile(times, share).toFixed(1)} ms`).join(' | ')} |`;
  process.stdout.write(
    [
      `${count} Ingresses, ${rounds} changes of each kind; from the API server's answer to the first request served by it`,
      '',
      '| change | p50 | p90 | p99 | longest |',
      '|---|---|---|---|---|',
      ...[...results].map(([what, times]) => row(what, times)),
      row('all', [...results.values()].flat()),
      '',
      `CPU time of the main process: ${postern.cpuSeconds().toFixed(1)} s`,
      '',
    ].join('\n'),
  );
} finally {
  await world.stop();
}

async function fill({ bed, sites }: World): Promise<void> {
  const from = performance.now();
  const identity = await sites.issue({ commonName: 'before', dnsNames: ['*.example.com'] });
  await bed.apply(
    ...(await sharedObjects(world)),
    ...Array.from({ length: shared }, (_, index) => [
      ...serviceAt(sharedName(index), 8080, upstreamAt.one),
      pairSecret(sharedName(index), identity),
    ]).flat(),
  );
  await bed.apply(
    ...Array.from({ length: count }, (_, index) =>
      site(hostOf(index), {
        service: sharedName(index),
        tls: sharedName(index),
        annotations: { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' },
      }),
    ),
  );
  process.stderr.write(`${count} Ingresses stored in ${((performance.now() - from) / 1_000).toFixed(0)} s\n`);
}

/** Each makes a change to the site of this index and gives the milliseconds until it is in effect. */
function kindsOfChange(
  { sites }: World,
  api: KubeApi,
): Record<string, (index: number, round: number) => Promise<number>> {
  return {
    async 'a path of an Ingress'(index, round) {
      const path = `/new-${round}`;
      const paths: readonly PathSpec[] = [
        ['/', 'Prefix'],
        [path, 'Exact', 'two'],
      ];
      const { spec } = site(hostOf(index), { service: sharedName(index), tls: sharedName(index), paths });
      return inEffect(
        () => api.mergePatch(ingresses, key(nameOf(index)), { spec }),
        agent => upstreamOf(agent, hostOf(index), path),
        'two',
      );
    },
    async 'a new Ingress'(_index, round) {
      const host = `new-${round}.example.com`;
      return inEffect(
        () => api.create(ingresses, site(host, { service: 'two' })),
        agent => upstreamOf(agent, host),
        'two',
      );
    },
    async 'the endpoints of a Service'(_index, round) {
      // One that no round before has changed.
      const name = sharedName(round);
      const { endpoints } = slice(name, [{ addresses: [upstreamAt.three] }]);
      return inEffect(
        () => api.mergePatch(endpointSlices, key(name), { endpoints }),
        agent => upstreamOf(agent, hostOf(round)),
        'three',
      );
    },
    async 'the certificate in a Secret'(_index, round) {
      const name = sharedName(round);
      const commonName = `after-${round}`;
      const identity = await sites.issue({ commonName, dnsNames: ['*.example.com'] });
      return inEffect(
        () => api.mergePatch(secrets, key(name), { data: pairSecret(name, identity).data }),
        () => commonNameOf(hostOf(round)),
        commonName,
        pauseMs.handshake,
      );
    },
  };
}

/** Writes, and asks on all connections until each has seen what is expected. */
async function inEffect(
  write: () => Promise<unknown>,
  look: (agent: Agent) => Promise<string>,
  expected: string,
  pause: number = pauseMs.request,
): Promise<number> {
  const agents = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  try {
    await Promise.all(agents.map(look));
    await write();
    const from = performance.now();
    await Promise.all(
      agents.map(async agent => {
        while ((await look(agent)) !== expected) await sleep(pause);
      }),
    );
    return performance.now() - from;
  } finally {
    for (const agent of agents) agent.destroy();
  }
}

/** Which upstream answers, or the status. */
function upstreamOf(agent: Agent, host: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: edgeAddress, port: 80, path, headers: { host } }, response => {
      const name = response.headers['x-upstream'];
      response
        .resume()
        .on('end', () => resolve(typeof name === 'string' ? name : String(response.statusCode)));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Of the certificate that a new connection is served with. */
function commonNameOf(servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect(
      { host: edgeAddress, port: 443, servername, ca: world.sites.caPem },
      () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}
