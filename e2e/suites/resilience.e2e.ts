import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { orders } from '../../src/api/acme/order.ts';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { certificateRequests } from '../../src/api/cert-manager/certificate-request.ts';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { leases } from '../../src/api/kubernetes/lease.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { http01SolverLabel, nextPrivateKeyLabel } from '../../src/api/labels.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import { acmeTally } from '../harness/acme-tally.ts';
import { type Environment, type Place, places, startEnvironment } from '../harness/environment.ts';
import { linesToTest } from '../harness/lines.ts';
import { acmeClusterIssuer, ingress, serviceTo, tlsSecret } from '../harness/manifests.ts';
import { type ObjectView, viewOf, watchFor } from '../harness/object-view.ts';
import { startRequestLoop } from '../harness/request-loop.ts';
import { killServer, type ServerProcess } from '../harness/server-process.ts';
import { createTestAuthority } from '../harness/test-authority.ts';
import { upstreamAddresses } from '../netns.ts';

const lines = await linesToTest();
const alone = ['--leader-elect=false'];
const elected = [
  '--leader-elect',
  ...['--leader-election-lease-duration', '4s'],
  ...['--leader-election-renew-deadline', '3s', '--leader-election-retry-period', '500ms'],
];
const byPebble = { 'cert-manager.io/cluster-issuer': 'pebble' };
const steadyHost = 'steady.example.com';

/** A moment in the life of an issuance: the first object of the resource that this is true of. */
interface Moment {
  readonly when: string;
  readonly name: string;
  readonly watch: (environment: Environment) => Promise<() => Promise<unknown>>;
}

function moment<T extends KubeObject>(
  when: string,
  name: string,
  resource: Resource<T>,
  matches: (object: T) => boolean,
): Moment {
  return { when, name, watch: ({ api }) => watchFor(api, resource, matches) };
}

const isSolvers = ({ metadata }: KubeObject): boolean => metadata.labels?.[http01SolverLabel] === 'true';

const moments: readonly Moment[] = [
  moment('the Certificate has been made', 'a', certificates, ({ metadata }) => metadata.name === 'a-tls'),
  moment(
    'the private key is there',
    'b',
    secrets,
    ({ metadata }) => metadata.labels?.[nextPrivateKeyLabel] === 'true',
  ),
  moment(
    'the request has been made',
    'c',
    certificateRequests,
    ({ metadata }) => metadata.name === 'c-tls-1',
  ),
  moment('the Order has a URL', 'd', orders, ({ status }) => status?.url !== undefined),
  moment('the solver Ingress is there', 'e', ingresses, isSolvers),
  // Its Ingress goes then, and no status says so.
  {
    when: 'the name is verified',
    name: 'f',
    watch: ({ api }) => watchFor(api, ingresses, isSolvers, { isGone: true }),
  },
  moment('the Order has its certificate', 'g', orders, ({ status }) => status?.certificate !== undefined),
];

describe.each(lines)('resilience on Kubernetes %s', line => {
  let environment: Environment;
  let view: ObjectView;
  let steadyCa: readonly string[];

  beforeAll(async () => {
    environment = await startEnvironment({ line, withPostern: false });
    const { api, cluster, pebble } = environment;
    view = viewOf(api);
    const authority = await createTestAuthority('e2e sites');
    steadyCa = [authority.caPem];
    const identity = await authority.issue({
      commonName: 'sites',
      dnsNames: [steadyHost, 'slow.example.com'],
    });
    await cluster.apply(
      [
        acmeClusterIssuer('pebble', pebble.directoryUrl, pebble.rootCaPem),
        tlsSecret('sites', identity),
        ingress({ name: 'steady', host: steadyHost, secretName: 'sites' }),
      ].join('\n---\n'),
    );
  });

  afterAll(async () => {
    await environment?.stop();
  });

  const tally = () => acmeTally(join(environment.dir, 'pebble'));

  const steadyAnswers = async (place: Place = places.first): Promise<void> => {
    const { status, body } = await environment.get(steadyHost, { ca: steadyCa, place });
    if (status !== 200) throw new Error(`https://${steadyHost} answers ${status}: ${body}`);
  };

  const isReadyAt = async ({ health }: Place): Promise<void> => {
    const answer = await fetch(`http://${health}/readyz`);
    if (answer.status !== 200) throw new Error(`/readyz answers ${answer.status}: ${await answer.text()}`);
  };

  /** Waits until the certificate of an Ingress is there, and holds it to have been issued once and nothing left over. */
  const expectIssuedOnce = async (
    name: string,
    before: { readonly orders: number; readonly issued: readonly string[] },
  ) => {
    const certificate = await environment.eventually('Ready', () => view.readyCertificate(`${name}-tls`));
    expect(certificate.status).toMatchObject({ revision: 1 });
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    await environment.eventually('nothing is left over', async () => (await view.leftovers()).length === 0);
    const after = await tally();
    expect(after.issued.slice(before.issued.length)).toEqual([await view.serial(`${name}-tls`)]);
    expect(after.orders - before.orders).toBeLessThanOrEqual(2);
    const belongs = ({ metadata }: KubeObject): boolean =>
      metadata.annotations?.['cert-manager.io/certificate-name'] === `${name}-tls`;
    expect((await view.list(certificateRequests)).filter(belongs)).toHaveLength(1);
    expect((await view.list(orders)).filter(belongs)).toHaveLength(1);
  };

  describe('one process', () => {
    beforeAll(async () => {
      await environment.startPostern(alone);
      await environment.eventually('the site is served', async () => steadyAnswers().then(() => true));
    });

    afterAll(async () => {
      await killServer(environment.postern);
    });

    it.each(moments)(
      'killed when $when, it carries on after a restart with one certificate',
      async ({ name, watch }) => {
        const before = await tally();
        const reached = await watch(environment);
        await environment.cluster.apply(
          ingress({ name, host: `${name}.example.com`, annotations: byPebble }),
        );
        await reached();
        await killServer(environment.postern);
        await environment.startPostern(alone);
        await expectIssuedOnce(name, before);
      },
    );

    it('an API server that restarts, and forgets its past, is got over, and the edge serves all the while', async () => {
      const { cluster } = environment;
      // Were it not ready for a moment, a Service would take every replica's edge away at once.
      const loop = startRequestLoop(async () => {
        await steadyAnswers();
        await isReadyAt(places.first);
      });
      const apply = async (names: readonly string[]): Promise<void> => {
        const texts = names.map(name =>
          ingress({ name, host: `${name}.example.com`, annotations: byPebble }),
        );
        await cluster.apply(texts.join('\n---\n'));
      };
      const before = await tally();
      await apply(['under-way-1', 'under-way-2', 'under-way-3']);
      await cluster.restartApiServer({ downMs: 500 });
      await apply(['after-1', 'after-2']);
      await environment.eventually('both are Ready', async () =>
        (await Promise.all(['after-1-tls', 'after-2-tls'].map(name => view.readyCertificate(name)))).every(
          Boolean,
        ),
      );
      await apply(['compacted-1']);
      await cluster.compactEtcd();
      await cluster.restartApiServer();
      await apply(['compacted-2']);

      const names = [
        'under-way-1',
        'under-way-2',
        'under-way-3',
        'after-1',
        'after-2',
        'compacted-1',
        'compacted-2',
      ];
      for (const name of names) {
        const certificate = await environment.eventually(`${name} is Ready`, () =>
          view.readyCertificate(`${name}-tls`),
        );
        expect(certificate.status).toMatchObject({ revision: 1 });
        expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
        expect(certificate.status?.conditions?.map(({ type }) => type)).toEqual(['Ready']);
      }
      await environment.eventually('nothing is left over', async () => (await view.leftovers()).length === 0);
      expect((await tally()).issued.length - before.issued.length).toBe(names.length);
      expect(await loop.stop()).toBeGreaterThan(10);
    });

    it('told to end, it finishes the requests under way and exits with 0 within seconds', async () => {
      await using slow = await startSlowUpstream();
      await environment.cluster.apply(
        [
          serviceTo(line, 'slow', slow),
          ingress({
            name: 'slow',
            host: 'slow.example.com',
            secretName: 'sites',
            service: { name: 'slow', port: slow.port },
          }),
        ].join('\n---\n'),
      );
      const get = (path: string) => environment.get('slow.example.com', { ca: steadyCa, path });
      await environment.eventually('the site is served', async () => (await get('/')).status === 200);
      const { postern } = environment;
      const answer = get('/slow');
      const held = await slow.asked;
      const toldAt = performance.now();
      postern.signal('SIGTERM');
      await environment.eventually('no more connections are taken', () =>
        steadyAnswers().then(
          () => false,
          (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
        ),
      );
      expect(postern.isRunning()).toBe(true);
      held.end('all of it');
      expect(await answer).toMatchObject({ status: 200, body: 'all of it' });
      await postern.exited;
      // With the last answer, not at the end of the 20 s that connections are given.
      expect(performance.now() - toldAt).toBeLessThan(15_000);
      expect(postern.exitStatus()).toBe(0);
    });
  });

  describe('two replicas', () => {
    const replicas = new Map<Place, ServerProcess>();

    const leads = async (place: Place): Promise<boolean> => {
      const answer = await fetch(`http://${place.health}/metrics`);
      return /^postern_leader 1$/m.test(await answer.text());
    };

    /** The one that leads, and the one that does not. */
    const roles = () =>
      environment.eventually('one of two leads', async () => {
        const [first, second] = await Promise.all([leads(places.first), leads(places.second)]);
        if (first === second) return false;
        const [leader, other]: [Place, Place] = first
          ? [places.first, places.second]
          : [places.second, places.first];
        return { leader, other };
      });

    const holderOfLease = async (): Promise<string | undefined> => {
      const { items } = await environment.api.list(leases);
      const lease = items.find(({ metadata }) => metadata.name === 'postern-controllers');
      expect(lease).toBeDefined();
      return lease?.spec?.holderIdentity;
    };

    const processAt = (place: Place): ServerProcess => {
      const found = replicas.get(place);
      if (found === undefined) throw new Error('no replica was started there');
      return found;
    };

    beforeAll(async () => {
      for (const place of [places.first, places.second])
        replicas.set(place, await environment.startPostern(elected, place));
    });

    afterEach(async () => {
      for (const [place, replica] of replicas) {
        if (!replica.isRunning()) replicas.set(place, await environment.startPostern(elected, place));
      }
    });

    afterAll(async () => {
      for (const replica of replicas.values()) await killServer(replica);
    });

    it('one leads, and both edges serve', async () => {
      await roles();
      await environment.cluster.apply(
        ingress({ name: 'both', host: 'both.example.com', annotations: byPebble }),
      );
      for (const place of [places.first, places.second]) {
        await environment.eventually('served with the certificate that the leader got', async () => {
          const { status } = await environment.get('both.example.com', { place });
          return status === 200;
        });
        await steadyAnswers(place);
      }
    });

    it('the leader is killed: the other goes on after the lease, with what was under way', async () => {
      const { pebble, cluster } = environment;
      const { leader, other } = await roles();
      const before = await tally();
      const host = 'orphan.example.com';
      await pebble.failHost(host);
      const presented = await watchFor(
        environment.api,
        ingresses,
        ({ metadata }) => metadata.labels?.[http01SolverLabel] === 'true',
      );
      await cluster.apply(ingress({ name: 'orphan', host, annotations: byPebble }));
      await presented();
      const loop = startRequestLoop(() => steadyAnswers(other));

      await killServer(processAt(leader));
      await pebble.setHost(host, other.edge);
      await environment.eventually('the other leads', () => leads(other));
      await expectIssuedOnce('orphan', before);
      await loop.stop();
    });

    it('the leader is stopped: it gives the Lease back, and the other takes over', async () => {
      const { pebble, cluster } = environment;
      const { leader, other } = await roles();
      const stopped = processAt(leader);
      const holder = await holderOfLease();
      stopped.signal('SIGTERM');
      await stopped.exited;
      expect(stopped.exitStatus()).toBe(0);
      expect(await holderOfLease()).not.toBe(holder);
      await environment.eventually('the other leads', () => leads(other));

      const before = await tally();
      await pebble.setHost('heir.example.com', other.edge);
      await cluster.apply(ingress({ name: 'heir', host: 'heir.example.com', annotations: byPebble }));
      await expectIssuedOnce('heir', before);
    });
  });
});

/** An upstream that answers at once, but for `/slow`, where it waits until it is told to. */
async function startSlowUpstream() {
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((request, response) => {
    if (request.url === '/slow') asked.resolve(response);
    else response.end();
  });
  const [address = ''] = upstreamAddresses.slice(2);
  const port = 8081;
  await new Promise<void>(resolve => server.listen(port, address, resolve));
  return {
    address,
    port,
    /** Resolves to the answer that is waited for, once `/slow` was asked for. */
    asked: asked.promise,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
