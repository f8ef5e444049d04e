import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { updateAccount } from '../../src/acme/account.ts';
import { openAcme } from '../../src/acme/connection.ts';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { clusterIssuers } from '../../src/api/cert-manager/issuer.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { type AcmeFaultBed, startAcmeFaultBed } from '../harness/acme-fault-bed.ts';
import {
  type AcmeAction,
  answers,
  cuts,
  delays,
  edits,
  forwardsBut,
  garbles,
  hangs,
  on,
  refuses,
  refusesNonce,
  truncates,
} from '../harness/acme-faults.ts';

const hourMs = 3_600_000;
/** All steps of an issuance, as the ACME server sees them. */
const steps = ['new-order', 'authorization', 'challenge', 'order', 'finalize', 'certificate'] as const;

describe('faults of the ACME server, each got over within a stated time', () => {
  let bed: AcmeFaultBed;

  beforeAll(async () => {
    bed = await startAcmeFaultBed();
  });

  afterEach(() => {
    bed.proxy.script();
  });

  afterAll(async () => {
    await bed?.stop();
  });

  const countOf = (action: AcmeAction, serverStatus: number) =>
    bed.proxy.records.filter(one => one.action === action && one.serverStatus === serverStatus).length;

  /** Adds a site and waits for its certificate. Gives how long that took. */
  const issued = async (): Promise<number> => {
    const startedAt = performance.now();
    const name = await bed.addSite();
    const certificate = await bed.ready(name);
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    expect(
      bed.proxy.records.filter(one => one.action === 'finalize' && one.serverStatus === 200),
    ).toHaveLength(1);
    return performance.now() - startedAt;
  };

  it.each([
    ['one in 20', 20],
    ['every second one', 2],
  ])('nonces are refused, %s: 30 s', async (_share, each) => {
    bed.proxy.script({ fault: refusesNonce, on: ({ method }) => method === 'POST', each });
    await issued();
    await issuedAgain();
    expect(bed.proxy.records.filter(({ outcome }) => outcome === 400).length).toBeGreaterThan(0);
  });

  /** A second certificate, so that a fault of one request in 20 is met. */
  const issuedAgain = async () => {
    for (let more = 0; more < 3; more += 1) await bed.ready(await bed.addSite());
  };

  it.each([
    ['500 without a body', answers(500)],
    ['500 with a problem', refuses(500, 'serverInternal', 'the database is away')],
    ['a page of a proxy with 502', answers(502, { 'content-type': 'text/html' }, { no: 'problem' })],
    ['the connection is cut before the answer', cuts],
    ['half an answer', truncates],
    ['JSON that is none', garbles],
  ])('each step fails twice, %s: 30 s', async (_fault, fault) => {
    // What the server has done although nobody heard of it must not be done twice, where that can be known.
    bed.proxy.script(...steps.map(step => on(step, fault, 2)));
    const name = await bed.addSite();
    const certificate = await bed.ready(name);
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    expect(
      bed.proxy.records.filter(one => one.action === 'finalize' && one.serverStatus === 200),
    ).toHaveLength(1);
  });

  it.each([
    [
      '503 with Retry-After in seconds',
      () => refuses(503, 'serverInternal', 'maintenance', { 'retry-after': '2' }),
    ],
    [
      '429 with Retry-After in seconds',
      () => refuses(429, 'rateLimited', 'slow down', { 'retry-after': '2' }),
    ],
    [
      '429 with Retry-After as a date',
      () =>
        refuses(429, 'rateLimited', 'slow down', {
          'retry-after': new Date(bed.clock.now() + 3_000).toUTCString(),
        }),
    ],
    [
      '429 with the time in its words alone',
      () => {
        const at = new Date(bed.clock.now() + 3_000).toISOString().slice(0, 19).replace('T', ' ');
        return refuses(429, 'rateLimited', `too many orders, retry after ${at} UTC`);
      },
    ],
  ])('%s: waited for; 30 s', async (_fault, fault) => {
    // Made when it is asked for, as its time is counted from then.
    bed.proxy.script(on('new-order', (request, way) => fault()(request, way), 1));
    const tookMs = await issued();
    expect(tookMs).toBeGreaterThan(1_900);
    const [first, second] = bed.proxy.records.filter(({ action }) => action === 'new-order');
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(1_900);
    expect(bed.proxy.count('new-order')).toBe(2);
  });

  it('each answer comes a second late: 30 s', async () => {
    bed.proxy.script(...steps.map(step => on(step, delays(1_000), 1)));
    await issued();
    expect(bed.proxy.count('new-order')).toBe(1);
  });

  it('connections are refused for 2 s: 30 s', async () => {
    await bed.proxy.goAway();
    const name = await bed.addSite();
    await new Promise(resolve => setTimeout(resolve, 2_000));
    await bed.proxy.comeBack();
    await bed.ready(name);
  });

  it('the server hangs at each step once: the deadline of a request, 15 s each, and 10 s', async () => {
    bed.proxy.script(...steps.map(step => on(step, hangs, 1)));
    const name = await bed.addSite();
    const passing = setInterval(() => {
      if (bed.proxy.records.some(({ outcome }) => outcome === 'hang')) bed.clock.pass(15_000);
    }, 500);
    try {
      await bed.ready(name);
    } finally {
      clearInterval(passing);
    }
    expect(bed.proxy.records.filter(({ outcome }) => outcome === 'hang').length).toBeGreaterThan(3);
  });

  it('finalize answers 403 although the order is valid: 30 s', async () => {
    bed.proxy.script(
      on('finalize', forwardsBut(refuses(403, 'orderNotReady', "order's status is valid")), 1),
    );
    await issued();
    expect(bed.proxy.count('new-order')).toBe(1);
  });

  it('the answer to a new order is lost: one order more, and no second certificate', async () => {
    bed.proxy.script(on('new-order', forwardsBut(cuts), 1));
    await issued();
    expect(countOf('new-order', 201)).toBe(2);
  });

  it('an authorization goes invalid: said, and tried again after the hour of the back-off', async () => {
    bed.proxy.script(
      on(
        'challenge',
        edits(json => ({
          ...json,
          status: 'invalid',
          error: { type: 'urn:ietf:params:acme:error:connection', detail: 'no route to host' },
        })),
        1,
      ),
    );
    const name = await bed.addSite();
    const failed = await bed.eventually('the failure is recorded', async () => {
      const found = await bed.view.find(certificates, name);
      return found?.status?.failedIssuanceAttempts === 1 && found;
    });
    expect(JSON.stringify(failed.status?.conditions)).toContain('no route to host');
    bed.proxy.script();
    bed.clock.pass(hourMs);
    const certificate = await bed.ready(name);
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    expect(bed.proxy.count('new-order')).toBe(1);
  });

  it('the server forgets an order: another is made at once, 30 s', async () => {
    bed.proxy.script(
      on('finalize', refuses(404, 'malformed', 'Order not found or expired'), 1),
      on('order', refuses(404, 'malformed', 'Order not found or expired'), 1),
    );
    const certificate = await bed.ready(await bed.addSite());
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    expect(bed.proxy.count('new-order')).toBe(2);
  });

  it('the server forgets the next order too: tried again after the hour of the back-off', async () => {
    bed.proxy.script(
      on('finalize', refuses(404, 'malformed', 'Order not found or expired')),
      on('order', refuses(404, 'malformed', 'Order not found or expired')),
    );
    const name = await bed.addSite();
    await bed.eventually('the failure is recorded', async () => {
      const found = await bed.view.find(certificates, name);
      return found?.status?.failedIssuanceAttempts === 1;
    });
    bed.proxy.script();
    bed.clock.pass(hourMs);
    await bed.ready(name);
  });

  it('a directory that loses a field serves on as it was; a new issuer waits for it: 30 s', async () => {
    const withoutOrders = edits(({ newOrder: _newOrder, ...rest }) => rest);
    bed.proxy.script(on('directory', withoutOrders));
    bed.clock.pass(hourMs + 1_000);
    await issued();
    expect(bed.proxy.count('directory')).toBeGreaterThan(0);

    await bed.addIssuer('second');
    const message = await bed.eventually('the issuer says what is missing', async () => {
      const found = await bed.postern.api.get(clusterIssuers, { namespace: '', name: 'second' });
      return found.status?.conditions?.find(({ status }) => status === 'False')?.message;
    });
    expect(message).toContain('newOrder');
    bed.proxy.script();
    await bed.issuerReady('second');
    await bed.ready(await bed.addSite('second'));
  });

  it('an account is deactivated: the issuer says so, and a new key brings it back: 30 s', async () => {
    const name = 'deactivated';
    await bed.addIssuer(name);
    await bed.issuerReady(name);
    await deactivate(name);
    const certificate = await bed.addSite(name);
    const condition = await bed.eventually('the issuer says it', async () => {
      const found = await bed.postern.api.get(clusterIssuers, { namespace: '', name });
      return found.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'False');
    });
    expect(condition.message).toContain('deactivated');
    await bed.postern.api.delete(secrets, { namespace: 'kube-system', name: `${name}-account` });
    await bed.ready(certificate);
  });

  /** Deactivates the account of an issuer, as its owner does it who has lost the key to somebody. */
  const deactivate = async (issuer: string): Promise<void> => {
    const secret = await bed.postern.api.get(secrets, {
      namespace: 'kube-system',
      name: `${issuer}-account`,
    });
    const { status } = await bed.postern.api.get(clusterIssuers, { namespace: '', name: issuer });
    const connection = openAcme({
      directoryUrl: bed.proxy.directoryUrl,
      accountKeyPem: Buffer.from(secret.data?.['tls.key'] ?? '', 'base64').toString(),
      accountUrl: status?.acme?.uri,
      caBundlePem: bed.proxy.rootCaPem,
    });
    expect((await updateAccount(connection, { deactivate: true })).status).toBe('deactivated');
    connection.close();
  };
});
