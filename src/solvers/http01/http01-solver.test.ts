import http from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ingresses } from '../../api/kubernetes/ingress.ts';
import { services } from '../../api/kubernetes/service.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { aChallenge, aKeyAuthorization, aToken } from '../challenge.testing.ts';
import { aCluster } from './cluster.testing.ts';
import { createHttp01Solver } from './http01-solver.ts';
import { createInPlaceIngresses } from './in-place.ts';
import { createProbe } from './probe.ts';
import { createResponder } from './responder.ts';
import { createSelfChecks } from './self-check.ts';
import { startSolverListener } from './solver-listener.ts';
import { createSolverServices } from './solver-service.ts';
import { createTemporaryIngresses } from './temporary-ingress.ts';

/** The solver as the program has it, its listener in the place of the Ingress controller. */
async function aSolver() {
  const cluster = aCluster();
  const { api, caches } = cluster;
  const responder = createResponder();
  const listener = await startSolverListener({ responder, host: '127.0.0.1', port: 0, logger: silentLogger });
  const resolve = () => Promise.resolve({ addresses: ['127.0.0.1'] });
  const probe = createProbe({ resolve, port: listener.port, clock: systemClock });
  const selfChecks = createSelfChecks({ probe, port: listener.port, clock: systemClock });
  onTestFinished(async () => {
    selfChecks.stop();
    await listener.close();
  });
  const cache = caches.cacheOf(ingresses);
  const solver = createHttp01Solver({
    responder,
    services: createSolverServices({
      api,
      caches,
      clock: systemClock,
      solver: { address: '192.0.2.1', port: 8089 },
    }),
    temporary: createTemporaryIngresses({ api, ingresses: cache }),
    inPlace: createInPlaceIngresses({ api, ingresses: cache }),
    selfChecks,
    needsNodePort: () => false,
  });
  await cluster.start();
  const settled = (): Promise<void> =>
    new Promise(done => {
      const cancel = selfChecks.onSettled(() => {
        cancel();
        done();
      });
    });
  return { solver, cluster, listener, settled };
}

function ask(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const path = `/.well-known/acme-challenge/${aToken}`;
    const options = { host: '127.0.0.1', port, path, headers: { host: 'www.example.com' }, agent: false };
    http
      .get(options, response => {
        response.resume();
        resolve(response.statusCode);
      })
      .on('error', reject);
  });
}

describe('the HTTP01 solver', () => {
  it('presents, checks and cleans up', async () => {
    const { solver, cluster, listener, settled } = await aSolver();
    const target = {
      challenge: await cluster.challenge(aChallenge({})),
      keyAuthorization: aKeyAuthorization,
    };
    await solver.present(target);
    await solver.present(target);
    expect(cluster.writes).toEqual(['create Service', 'create EndpointSlice', 'create Ingress']);

    const passed = settled();
    expect(solver.check(target)).toEqual({ state: 'running' });
    await passed;
    expect(solver.check(target)).toEqual({ state: 'passed' });

    await solver.cleanUp(target.challenge);
    await solver.cleanUp(target.challenge);
    expect(await ask(listener.port)).toBe(404);
    expect(await cluster.all(ingresses)).toEqual([]);
    // Shared with the next challenges of the namespace.
    expect(await cluster.all(services)).toHaveLength(1);
  });

  it('edits the Ingress that the solver names, and makes none', async () => {
    const { solver, cluster } = await aSolver();
    const backend = { service: { name: 'shop', port: { number: 80 } } };
    const before = await cluster.outside.create(ingresses, {
      metadata: { namespace: 'shop', name: 'shop' },
      spec: { defaultBackend: backend },
    });
    const challenge = aChallenge({ ingress: { name: 'shop' } });
    await solver.present({ challenge, keyAuthorization: aKeyAuthorization });
    expect(await cluster.all(ingresses)).toMatchObject([{ spec: { rules: [{ host: 'www.example.com' }] } }]);
    await solver.cleanUp(challenge);
    expect((await cluster.all(ingresses)).map(found => found.spec)).toEqual([before.spec]);
  });

  it('serves what was computed from the account key, whatever the object says', async () => {
    const { solver, listener } = await aSolver();
    const challenge = aChallenge({});
    expect(challenge.spec.key).not.toBe(aKeyAuthorization);
    await solver.present({ challenge, keyAuthorization: aKeyAuthorization });
    const body = await new Promise<string>((resolve, reject) => {
      const path = `/.well-known/acme-challenge/${aToken}`;
      const options = { host: '127.0.0.1', port: listener.port, path, headers: { host: 'www.example.com' } };
      http
        .get({ ...options, agent: false }, response => {
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on('end', () => resolve(text));
        })
        .on('error', reject);
    });
    expect(body).toBe(aKeyAuthorization);
  });

  it('presents nothing of a challenge made to inject something', async () => {
    const { solver, cluster } = await aSolver();
    const challenge = aChallenge({ dnsName: 'a.test; return 200' });
    await expect(solver.present({ challenge, keyAuthorization: aKeyAuthorization })).rejects.toMatchObject({
      code: 'SOLVER_INVALID_CHALLENGE',
      retry: 'never',
    });
    await solver.cleanUp(challenge);
    expect(cluster.writes).toEqual([]);
  });
});
