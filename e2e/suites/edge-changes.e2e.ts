import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointSlices } from '../../src/api/kubernetes/endpoint-slice.ts';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { type LoadAnswer, type LoadClient, startLoad } from '../edge/load.ts';
import { nginx, type PathSpec, pairSecret, serviceAt, site, slice } from '../edge/objects.ts';
import { valuesOf } from '../edge/reporting-upstream.ts';
import { createWorld, sharedObjects, upstreamAt, type World } from '../edge/world.ts';
import { places } from '../harness/environment.ts';
import type { ServerProcess } from '../harness/server-process.ts';
import { edgeAddress, secondEdgeAddress } from '../netns.ts';

const changes = 1_000;
const hosts = Array.from({ length: 6 }, (_, at) => `site-${at}.example.com`);
const nameOf = (host: string): string => host.split('.')[0] ?? '';

/** A status of 200 from the host's own upstreams, over a certificate of its own. */
function fault(host: string, { status, seen, commonName }: LoadAnswer): string | undefined {
  if (status === 101) return undefined;
  if (status !== 200) return `it answers ${status}`;
  if (seen === undefined) return 'the body is not whole';
  if (valuesOf(seen, 'host')[0] !== host || seen.path !== `/${host}`) return `the body is of ${seen.path}`;
  if (seen.upstream !== 'one' && seen.upstream !== 'two') return `it came from ${seen.upstream}`;
  return commonName === nameOf(host) ? undefined : `the certificate is that of ${commonName}`;
}

describe('changes while a load runs', () => {
  let world: World;
  let first: ServerProcess;
  const flags = ['--components', 'edge'];

  beforeAll(async () => {
    world = await createWorld('current');
    const sites = await Promise.all(
      hosts.map(async host => {
        const identity = await world.sites.issue({ commonName: nameOf(host), dnsNames: [host] });
        return [
          pairSecret(nameOf(host), identity),
          ...serviceAt(nameOf(host), 8080, upstreamAt.one, upstreamAt.two),
          site(host, { service: nameOf(host), tls: nameOf(host) }),
        ];
      }),
    );
    await world.bed.apply(...(await sharedObjects(world)), ...sites.flat());
    first = await world.bed.start(flags);
  });

  afterAll(() => world?.stop());

  const load = (clients: readonly LoadClient[], edges: readonly string[] = [edgeAddress]) =>
    startLoad({ hosts, ca: world.sites.caPem, edges, fault }, clients);

  it(`${changes} changes to Ingresses, endpoints and Secrets, and not one failed request`, async () => {
    const { api } = world.bed;
    if (api === undefined) throw new Error('there is no API server');
    const identities = await Promise.all(
      hosts.map(host =>
        Promise.all([1, 2].map(() => world.sites.issue({ commonName: nameOf(host), dnsNames: [host] }))),
      ),
    );
    const key = (name: string) => ({ namespace: 'default', name });
    const endpointSets = [[upstreamAt.one], [upstreamAt.two], [upstreamAt.two, upstreamAt.one]];
    const change = async (number: number): Promise<void> => {
      const at = number % hosts.length;
      const host = hosts[at] ?? '';
      const round = Math.floor(number / hosts.length);
      switch (round % 4) {
        case 0: {
          const addresses = endpointSets[round % 3] ?? [];
          const { endpoints } = slice(
            nameOf(host),
            addresses.map(address => ({ addresses: [address] })),
          );
          await api.mergePatch(endpointSlices, key(nameOf(host)), { endpoints });
          return;
        }
        case 1: {
          const identity = identities[at]?.[round % 2];
          if (identity === undefined) throw new Error('no identity');
          await api.mergePatch(secrets, key(nameOf(host)), { data: pairSecret('any', identity).data });
          return;
        }
        case 2: {
          const paths: readonly PathSpec[] = [
            ['/', 'Prefix'],
            [`/path-${round}`, 'Exact', 'three'],
          ];
          const annotations = nginx({
            'proxy-read-timeout': String(30 + (round % 9)),
            'enable-cors': String(round % 8 === 2),
          });
          const { spec } = site(host, { service: nameOf(host), tls: nameOf(host), paths });
          await api.mergePatch(ingresses, key(nameOf(host)), { metadata: { annotations }, spec });
          return;
        }
        default: {
          // Of others beside: they come, contest a host, and go.
          const other = site(host, {
            name: `z-other-${at}`,
            service: 'three',
            tls: nameOf(host),
            paths: [
              ['/', 'Prefix'],
              [`/${round}`, 'Prefix'],
            ],
          });
          if (round % 8 === 3) await api.create(ingresses, other);
          else await api.delete(ingresses, key(`z-other-${at}`));
        }
      }
    };
    const running = load(['kept connections', 'new connections', 'HTTP/2', 'WebSocket']);
    // Each site's changes one after the other, as its owner makes them; the sites beside each other.
    await Promise.all(
      hosts.map(async (_, at) => {
        for (let number = at; number < changes; number += hosts.length) await change(number);
      }),
    );
    const counts = await running.stop();
    for (const client of ['kept connections', 'new connections', 'HTTP/2', 'WebSocket'] as const)
      expect(counts.get(client) ?? 0).toBeGreaterThan(0);
  });

  it('a worker that is killed takes its own connections with it, no others, and comes back', async () => {
    const agents = Array.from({ length: 12 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const host = hosts[0] ?? '';
    const ask = (agent: Agent): Promise<boolean> =>
      new Promise((resolve, reject) => {
        const sent = request(
          { agent, host: edgeAddress, port: 443, servername: host, ca: world.sites.caPem, headers: { host } },
          response => {
            response
              .resume()
              .on('end', () =>
                response.statusCode === 200
                  ? resolve(sent.reusedSocket)
                  : reject(new Error(`${response.statusCode}`)),
              );
          },
        );
        sent.on('error', reject).end();
      });
    try {
      await Promise.all(agents.map(ask));
      const [worker = 0] = await workersOf(first.pid);
      const before = await connectionsByWorker();
      process.kill(worker, 'SIGKILL');
      await world.bed.eventually('it is gone', async () => !(await workersOf(first.pid)).includes(worker));
      // A connection that is gone is made anew: none of these fails, and those of the other worker are still there.
      const reused = await Promise.all(agents.map(agent => ask(agent).catch(() => ask(agent))));
      const kept = reused.filter(isReused => isReused).length;
      expect(before.size).toBe(2);
      expect([...before.values()]).toContain(kept);
      await world.bed.eventually(
        'there are two workers again',
        async () => (await workersOf(first.pid)).length === 2,
      );
      await world.bed.eventually('which is told', async () => {
        const text = await metrics();
        return /worker_losses_total 1\n/.test(text) && /worker_starts_total 3\n/.test(text);
      });
    } finally {
      for (const agent of agents) agent.destroy();
    }
  });

  it('one of two is told to end, and starts again: nothing fails of clients that try again where a connection is refused', async () => {
    const second = await world.bed.start(flags, places.second);
    const running = load(['new connections', 'kept connections', 'HTTP/2'], [edgeAddress, secondEdgeAddress]);
    await world.bed.eventually('the load runs', async () => running.answered() > 60);
    const slow = slowRequest();
    await slow.begun;
    first.signal('SIGTERM');
    const atEnd = running.answered();
    await world.bed.eventually('the other one serves', async () => running.answered() > atEnd + 60);
    slow.release();
    expect(await slow.body).toBe('data: first\n\ndata: second\n\n');
    await first.exited;
    expect(first.exitStatus()).toBe(0);
    first = await world.bed.start(flags);
    second.signal('SIGTERM');
    await second.exited;
    expect(second.exitStatus()).toBe(0);
    const beforeLast = running.answered();
    await world.bed.eventually(
      'the first one serves again',
      async () => running.answered() > beforeLast + 60,
    );
    await running.stop();
  });

  /** A request whose answer is under way until it is released. */
  function slowRequest() {
    const host = hosts[1] ?? '';
    const begun = Promise.withResolvers<void>();
    const body = new Promise<string>((resolve, reject) => {
      const options = {
        host: edgeAddress,
        port: 443,
        servername: host,
        ca: world.sites.caPem,
        agent: false as const,
      };
      let text = '';
      request({ ...options, path: '/?events', headers: { host } }, response => {
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          begun.resolve();
        });
        response.on('error', reject).on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
    const release = (): void => {
      for (const address of [upstreamAt.one, upstreamAt.two])
        void fetch(`http://${address}:8080/?release`).then(response => response.text());
    };
    return { begun: begun.promise, body, release };
  }

  async function metrics(): Promise<string> {
    return (await fetch(`http://${places.first.health}/metrics`)).text();
  }

  /** How many of the connections each worker has, once they are counted. */
  function connectionsByWorker(): Promise<ReadonlyMap<string, number>> {
    return world.bed.eventually('all connections are counted', async () => {
      const found = (await metrics()).matchAll(/postern_edge_connections\{worker="(\d+)"\} (\d+)/g);
      const counts = new Map([...found].map(([, worker = '', count]) => [worker, Number(count)]));
      const sum = [...counts.values()].reduce((one, other) => one + other, 0);
      return sum === 12 && counts;
    });
  }
});

/** The processes that a process has started. */
async function workersOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text
    .split(' ')
    .filter(part => part !== '')
    .map(Number);
}
