import { describe, expect, it } from 'vitest';
import { problem } from './acme/scripted-acme.testing.ts';
import type { AcmeSolver } from './api/acme/solver.ts';
import { orders } from './api/acme/order.ts';
import { type CertificateSpec, certificates } from './api/cert-manager/certificate.ts';
import { certificateRequests } from './api/cert-manager/certificate-request.ts';
import { issuers } from './api/cert-manager/issuer.ts';
import { findCondition, hasCondition } from './api/condition.ts';
import { chainsOf } from './cli/status/chains.ts';
import { explain } from './cli/status/explain.ts';
import { readStatusObjects } from './cli/status/read-objects.ts';
import { anAcmeServer, type TestAcmeServer } from './controllers/acme-server.testing.ts';
import { aCertificate, anAcmeIssuer } from './controllers/objects.testing.ts';
import { aGround, aWorld, namespace } from './controllers/world.testing.ts';
import type { Probe } from './solvers/http01/probe.ts';

interface Trouble {
  readonly spec?: Partial<CertificateSpec>;
  readonly solver?: AcmeSolver;
  readonly probe?: Probe;
  readonly server?: (acme: TestAcmeServer) => void;
  readonly withoutIssuer?: boolean;
}

async function messages(trouble: Trouble) {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  trouble.server?.(acme);
  const world = await aWorld(ground, trouble.probe === undefined ? {} : { probe: trouble.probe });
  if (trouble.withoutIssuer !== true) {
    await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl, trouble.solver));
    await world.until('the issuer is Ready', async () =>
      hasCondition((await ground.get(issuers, 'acme'))?.status?.conditions, 'Ready'),
    );
  }
  await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' }, ...trouble.spec }));
  for (let second = 0; second < 40; second++) await world.sleep(1_000);
  const [chain] = chainsOf(await readStatusObjects(ground.store, namespace));
  const explanation = chain && explain(chain, ground.clock.now());
  const [request] = await ground.all(certificateRequests);
  const [order] = await ground.all(orders);
  const certificate = await ground.get(certificates, 'site');
  return {
    cause: explanation?.state === 'not-ready' ? explanation.cause : explanation?.state,
    order: order?.status,
    request: findCondition(request?.status?.conditions, 'Ready')?.message,
    certificate: certificate?.status?.conditions,
  };
}

describe('x', () => {
  it.each<[string, Trouble]>([
    ['issuer missing', { withoutIssuer: true }],
    ['no solver', { solver: { selector: { dnsNames: ['other.test'] }, http01: { ingress: {} } } }],
    ['dns', { probe: async ({ host }) => ({ found: false, kind: 'dns', host, why: 'none', asked: '192.0.2.53:53' }) }],
    ['mismatch', { probe: async () => ({ found: false, kind: 'mismatch', at: '192.0.2.7:80', length: 12, complete: true }) }],
    ['limit', { server: acme => acme.scripted.on('/order', { status: 429, headers: { 'retry-after': '3600' }, body: problem('rateLimited', 'too many certificates') }) }],
    ['caa', { server: acme => acme.scripted.on('/order', { status: 403, body: problem('caa', 'CAA record for site.example.com prevents issuance') }) }],
    ['wild', { spec: { dnsNames: ['*.example.com'] } }],
  ])('%s', async (name, trouble) => {
    console.log(name, JSON.stringify(await messages(trouble), undefined, 1));
    expect(1).toBe(1);
  });
});
