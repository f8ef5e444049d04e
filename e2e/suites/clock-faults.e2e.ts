import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { type AcmeFaultBed, startAcmeFaultBed } from '../harness/acme-fault-bed.ts';
import { on, refuses } from '../harness/acme-faults.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

describe('somebody sets the clock', () => {
  let bed: AcmeFaultBed;

  beforeAll(async () => {
    bed = await startAcmeFaultBed();
  });

  afterAll(async () => {
    await bed?.stop();
  });

  it.each([
    ['two hours forward', 2 * hourMs],
    ['two hours back', -2 * hourMs],
    ['a day back', -dayMs],
    ['a day forward', dayMs],
  ])('%s in the middle of an issuance: Ready within 10 s, by one order', async (_how, byMs) => {
    bed.proxy.script();
    const name = await bed.addSite();
    await bed.eventually('the order is made', async () => bed.proxy.count('new-order') > 0);
    bed.clock.set(byMs);
    const certificate = await bed.ready(name);
    expect(certificate.status?.failedIssuanceAttempts).toBeUndefined();
    expect(bed.proxy.count('new-order')).toBe(1);
  });

  it.each([
    ['back', -dayMs],
    ['forward', dayMs],
  ])('a day %s while a server has asked for 3 s: Ready within 10 s', async (_how, byMs) => {
    bed.proxy.script(on('new-order', refuses(429, 'rateLimited', 'slow down', { 'retry-after': '3' }), 1));
    const name = await bed.addSite();
    await bed.eventually('it has been asked', async () => bed.proxy.count('new-order') > 0);
    bed.clock.set(byMs);
    await bed.ready(name);
  });

  it('a day back: no certificate that is valid from tomorrow on is asked for again', async () => {
    bed.proxy.script();
    bed.clock.set(-dayMs);
    bed.clock.pass(hourMs);
    await pause(1_000);
    expect(bed.proxy.count('new-order')).toBe(0);
    bed.clock.set(dayMs);
  });

  it('100 days forward, so that every new certificate seems to have expired: no order after order', async () => {
    bed.proxy.script();
    const all = (await bed.view.list(certificates)).length;
    bed.clock.set(100 * dayMs);
    bed.clock.pass(hourMs); // so that all are looked at
    await bed.eventually('they are renewed', async () => bed.proxy.count('new-order') >= all);
    await pause(3_000);
    // What CAs give is wrong by this clock, again and again: they must not be asked again and again.
    expect(bed.proxy.count('new-order')).toBeLessThanOrEqual(2 * all);

    bed.clock.set(-100 * dayMs);
    bed.clock.pass(hourMs);
    for (const { metadata } of await bed.view.list(certificates)) await bed.ready(metadata.name ?? '');
  });
});
