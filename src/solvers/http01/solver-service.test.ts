import { describe, expect, it } from 'vitest';
import { endpointSlices } from '../../api/kubernetes/endpoint-slice.ts';
import { endpoints } from '../../api/kubernetes/endpoints.ts';
import { services } from '../../api/kubernetes/service.ts';
import { type ManualClock, manualClock } from '../../core/clock.testing.ts';
import { aCluster, type TestCluster } from './cluster.testing.ts';
import { createSolverServices, type SolverServices } from './solver-service.ts';
import type { SolverAddress } from './solver-service-objects.ts';

interface Bench extends TestCluster {
  readonly clock: ManualClock;
  readonly solvers: SolverServices;
}

const here = { address: '192.0.2.1', port: 18_089 };
const key = { namespace: 'shop', name: 'cm-acme-http-solver' };

function solversOn(cluster: TestCluster, solver: SolverAddress, clock = manualClock()): SolverServices {
  return createSolverServices({ api: cluster.api, caches: cluster.caches, clock, solver, idleForMs: 60_000 });
}

async function aBench(options: { solver?: SolverAddress; oldServer?: boolean } = {}): Promise<Bench> {
  const cluster = aCluster(options.oldServer === true ? [endpointSlices] : []);
  const clock = manualClock();
  const solvers = solversOn(cluster, options.solver ?? here, clock);
  await cluster.start();
  return { ...cluster, clock, solvers };
}

describe('the solver Service of a namespace', () => {
  it('leads to this process, with two writes for any number of challenges', async () => {
    const { solvers, writes, all } = await aBench();
    await Promise.all(Array.from({ length: 30 }, () => solvers.ensure('shop')));
    await solvers.ensure('shop');
    expect(writes).toEqual(['create Service', 'create EndpointSlice']);

    const [service] = await all(services);
    expect(service?.metadata).toMatchObject({
      ...key,
      labels: { 'acme.cert-manager.io/http01-solver': 'true' },
    });
    expect(service?.spec).not.toHaveProperty('selector');
    expect(service?.spec).toMatchObject({
      type: 'ClusterIP',
      ports: [{ name: 'http', port: 8089, targetPort: 8089, protocol: 'TCP' }],
    });
    const [slice] = await all(endpointSlices);
    expect(slice).toMatchObject({
      metadata: {
        ...key,
        labels: { 'kubernetes.io/service-name': key.name },
        ownerReferences: [{ kind: 'Service', uid: service?.metadata.uid }],
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
      ports: [{ name: 'http', port: 18_089, protocol: 'TCP' }],
    });
  });

  it('leads to an IPv6 address too', async () => {
    const { solvers, all } = await aBench({ solver: { address: '2001:db8::1', port: 8089 } });
    await solvers.ensure('shop');
    expect(await all(endpointSlices)).toMatchObject([
      { addressType: 'IPv6', endpoints: [{ addresses: ['2001:db8::1'] }] },
    ]);
  });

  it('has Endpoints where the server knows no EndpointSlices of v1', async () => {
    const { solvers, all, writes } = await aBench({ oldServer: true });
    await solvers.ensure('shop');
    await solvers.ensure('shop');
    expect(await all(endpoints)).toMatchObject([
      {
        metadata: key,
        subsets: [
          { addresses: [{ ip: '192.0.2.1' }], ports: [{ name: 'http', port: 18_089, protocol: 'TCP' }] },
        ],
      },
    ]);
    expect(writes).toEqual(['create Service', 'create Endpoints']);
  });

  it('leads to the new leader once it presents a challenge', async () => {
    const bench = await aBench();
    await bench.solvers.ensure('shop');
    await solversOn(bench, { address: '192.0.2.2', port: 18_089 }).ensure('shop');
    expect(await bench.all(endpointSlices)).toMatchObject([{ endpoints: [{ addresses: ['192.0.2.2'] }] }]);
    expect(bench.writes.slice(2)).toEqual(['update EndpointSlice']);
  });

  it('is mended: made again, freed of a selector, its slice put right', async () => {
    const { solvers, api, all, outside } = await aBench();
    await solvers.ensure('shop');
    await api.delete(services, key);
    await solvers.ensure('shop');
    const [service] = await all(services);
    expect(await all(endpointSlices)).toMatchObject([
      { metadata: { ownerReferences: [{ uid: service?.metadata.uid }] } },
    ]);

    const found = await outside.get(services, key);
    await api.update(services, {
      ...found,
      spec: { ...found.spec, selector: { app: 'x' }, ports: [{ port: 1 }] },
    });
    await solvers.ensure('shop');
    const [mended] = await all(services);
    expect(mended?.spec).not.toHaveProperty('selector');
    expect(mended?.spec?.ports).toMatchObject([{ port: 8089 }]);
  });

  it('becomes a NodePort where a solver needs it, and stays one', async () => {
    const { solvers, all } = await aBench();
    await solvers.ensure('shop');
    await solvers.ensure('shop', { nodePort: true });
    await solvers.ensure('shop');
    expect((await all(services)).map(service => service.spec?.type)).toEqual(['NodePort']);
  });

  it('leaves another Service of its name alone', async () => {
    const { solvers, outside, all, writes } = await aBench();
    const foreign = await outside.create(services, {
      metadata: key,
      spec: { selector: { app: 'mine' }, ports: [{ port: 80 }] },
    });
    await expect(solvers.ensure('shop')).rejects.toMatchObject({ code: 'SOLVER_SERVICE_TAKEN' });
    await solvers.sweep('shop', () => false);
    expect(await all(services)).toEqual([foreign]);
    expect(writes).toEqual(['create Service']);
  });

  it('goes once there has been no challenge for a while', async () => {
    const { solvers, clock, all } = await aBench();
    let live = true;
    const sweep = (): Promise<object> => solvers.sweep('shop', () => live);
    await solvers.ensure('shop');
    expect(solvers.namespaces()).toEqual(['shop']);
    expect(await sweep()).toEqual({});
    live = false;
    expect(await sweep()).toEqual({ requeueAfterMs: 60_000 });
    clock.advance(59_000);
    expect(await sweep()).toEqual({ requeueAfterMs: 1_000 });
    await solvers.ensure('shop');
    expect(await sweep()).toEqual({ requeueAfterMs: 60_000 });
    clock.advance(60_000);
    expect(await sweep()).toEqual({});
    expect(await all(services)).toEqual([]);
    expect(await all(endpointSlices)).toEqual([]);
    expect(solvers.namespaces()).toEqual([]);
    await solvers.ensure('shop');
    expect(await all(endpointSlices)).toHaveLength(1);
  });

  it('cannot lead to a host name', () => {
    expect(() => solversOn(aCluster(), { address: 'postern.local', port: 8089 })).toThrow('--solver-address');
  });
});
