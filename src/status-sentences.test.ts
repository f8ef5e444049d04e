import { describe, expect, it } from 'vitest';
import { problem } from './acme/scripted-acme.testing.ts';
import { orders } from './api/acme/order.ts';
import type { AcmeSolver } from './api/acme/solver.ts';
import { fallbackIssuersAnnotation } from './api/annotations.ts';
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
import type { HostResolver } from './solvers/http01/resolve-host.ts';

/** What is in the way of a Certificate for site.example.com by the ACME issuer `acme`. */
interface Trouble {
  readonly spec?: Partial<CertificateSpec>;
  readonly fallbacks?: string;
  readonly solver?: AcmeSolver;
  readonly probe?: Probe;
  readonly resolve?: HostResolver;
  readonly server?: (acme: TestAcmeServer) => void;
  readonly withoutIssuer?: boolean;
  readonly withoutApprover?: boolean;
}

/** What is said of it after a quarter of a minute, by whom. */
async function said(trouble: Trouble) {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  trouble.server?.(acme);
  const world = await aWorld(ground, {
    ...(trouble.probe !== undefined && { probe: trouble.probe }),
    ...(trouble.resolve !== undefined && { resolve: trouble.resolve }),
    controllers: { approves: trouble.withoutApprover !== true },
  });
  if (trouble.withoutIssuer !== true) {
    await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl, trouble.solver));
    await world.until('the issuer is Ready', async () =>
      hasCondition((await ground.get(issuers, 'acme'))?.status?.conditions, 'Ready'),
    );
  }
  const annotations = { [fallbackIssuersAnnotation]: trouble.fallbacks ?? '' };
  await ground.store.create(
    certificates,
    aCertificate({ issuerRef: { name: 'acme' }, ...trouble.spec }, { name: 'site', annotations }),
  );
  const endMs = ground.clock.now() + 15_000;
  await world.until('time passes', async () => ground.clock.now() >= endMs);
  const [chain] = chainsOf(await readStatusObjects(ground.store, namespace));
  const explanation = chain && explain(chain, ground.clock.now());
  const [request] = await ground.all(certificateRequests);
  const [order] = await ground.all(orders);
  const certificate = await ground.get(certificates, 'site');
  return {
    status: explanation?.state === 'not-ready' ? explanation.cause : explanation?.state,
    condition: findCondition(request?.status?.conditions, 'Ready')?.message,
    state: order?.status?.state,
    issuing: findCondition(certificate?.status?.conditions, 'Issuing')?.message,
    ready: findCondition(certificate?.status?.conditions, 'Ready')?.message,
    writes: ground.writes.filter(({ what }) => what === 'update Certificate status').length,
  };
}

const refused =
  (type: string, detail: string, status: number, headers: Record<string, string> = {}) =>
  ({ scripted }: TestAcmeServer): void =>
    scripted.on('/order', { status, headers, body: problem(type, detail) });

describe('what keeps a certificate is said by postern status and by the conditions in the same words', () => {
  it.each<[string, Trouble, string]>([
    [
      'the issuer is missing',
      { withoutIssuer: true },
      'There is no Issuer "acme" in namespace "default"; create it, or name another one.',
    ],
    [
      'the fallback issuer that has its turn is missing',
      { server: refused('caa', 'not here', 403), fallbacks: 'ClusterIssuer/other' },
      'There is no ClusterIssuer "other"; create it, or name another one.',
    ],
    [
      'nobody has approved it yet',
      { withoutApprover: true },
      'CertificateRequest "site-1" is not approved yet; see that an approver runs for Issuer "acme".',
    ],
    [
      'there is no such name, before anything is ordered',
      { resolve: async () => ({ failure: 'none', asked: '192.0.2.53:53' }) },
      'Nothing is ordered yet: site.example.com does not resolve: it has no A or AAAA record (asked 192.0.2.53:53); make a DNS record for it that leads to the address of the Ingress controller',
    ],
    [
      'the name does not resolve',
      {
        probe: async ({ host }) => ({ found: false, kind: 'dns', host, why: 'none', asked: '192.0.2.53:53' }),
      },
      'The HTTP-01 challenge for site.example.com waits: The self-check fails: site.example.com does not resolve: it has no A or AAAA record (asked 192.0.2.53:53); make a DNS record for it that leads to the address of the Ingress controller.',
    ],
    [
      'another host answers',
      {
        probe: async () => ({
          found: false,
          kind: 'mismatch',
          at: '192.0.2.7:80',
          length: 12,
          complete: true,
        }),
      },
      "The HTTP-01 challenge for site.example.com waits: The self-check fails: http://site.example.com/.well-known/acme-challenge/... was answered by 192.0.2.7:80 with something else (12 bytes) than the challenge's answer; check that 192.0.2.7:80 is the Ingress controller of this cluster, and that no other Ingress has that path.",
    ],
    [
      'a rate limit, until when',
      { server: refused('rateLimited', 'too many certificates', 429, { 'retry-after': '3600' }) },
      'RateLimited until 2026-01-01T01:00:xxZ: The ACME server 127.0.0.1 answered 429 to make an order: rateLimited: too many certificates',
    ],
  ])('%s', async (_, trouble, sentence) => {
    const { status, condition, issuing, ready, writes } = await said(trouble);
    expect(normalised(status)).toContain(sentence);
    for (const message of [condition, issuing, ready]) expect(normalised(message)).toContain(sentence);
    expect(writes).toBe(trouble.fallbacks === undefined ? 1 : 2); // one more for the failure of the issuer before
  });

  // Nothing hangs: what cannot succeed fails, and the Certificate says why.
  it.each<[string, Trouble, string]>([
    [
      'no solver matches',
      { solver: { selector: { dnsNames: ['other.example.com'] }, http01: { ingress: {} } } },
      "site.example.com: none of the issuer's 1 solvers matches; add one whose selector matches this name, or one without a selector.",
    ],
    [
      'a wildcard name needs DNS01',
      { spec: { dnsNames: ['*.example.com'] } },
      '*.example.com: a wildcard name needs a DNS01 challenge, which Postern does not solve; list the names one by one.',
    ],
    [
      'CAA forbids it',
      { server: refused('caa', 'CAA record for site.example.com prevents issuance', 403) },
      'The ACME server 127.0.0.1 answered 403 to make an order: caa: CAA record for site.example.com prevents issuance.',
    ],
  ])('%s', async (_, trouble, sentence) => {
    const { status, condition, issuing, state } = await said(trouble);
    expect(state).toBe('errored');
    expect(normalised(status)).toContain(sentence);
    expect(normalised(condition)).toContain(sentence);
    expect(normalised(issuing)).toContain(sentence);
  });

  it('a name that is found after all is not said to be missing any more', async () => {
    let isThere = false;
    const ground = aGround();
    const acme = await anAcmeServer(() => ground.clock.now());
    await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
    const probe: Probe = async ({ host }) =>
      isThere ? { found: true } : { found: false, kind: 'dns', host, why: 'none', asked: '192.0.2.53:53' };
    const world = await aWorld(ground, { probe });
    await ground.store.create(certificates, aCertificate({ issuerRef: { name: 'acme' } }));
    const reason = async () => (await ground.all(orders))[0]?.status?.reason;
    await world.until('the Order says why it waits', async () =>
      (await reason())?.includes('does not resolve'),
    );
    isThere = true;
    await world.until('the certificate', async () =>
      hasCondition((await ground.get(certificates, 'site'))?.status?.conditions, 'Ready'),
    );
    expect(await reason()).toBeUndefined();
  });
});

/** The server of the test has another port each time, and is asked in another second. */
function normalised(text: string | undefined): string | undefined {
  return text?.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1').replaceAll(/T01:00:\d\dZ/g, 'T01:00:xxZ');
}
