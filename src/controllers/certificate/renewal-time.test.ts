import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Certificate, CertificateSpec, CertificateStatus } from '../../api/cert-manager/certificate.ts';
import { renewalTimeMs } from '../../api/cert-manager/certificate-times.ts';
import { rfc3339 } from '../../core/clock.ts';
import type { RenewalAdvice } from '../../issuers/acme/renewal-windows.ts';
import { renewalTimeOf, shareOf } from './renewal-time.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const notBeforeMs = Date.UTC(2026, 0, 1);
const notAfterMs = notBeforeMs + 90 * dayMs;

function aCertificate(
  spec: Partial<CertificateSpec> = {},
  { uid = 'uid', status }: { uid?: string; status?: CertificateStatus } = {},
): Certificate {
  return {
    metadata: { name: 'site', uid, generation: 1 },
    spec: { secretName: 'site-tls', issuerRef: { name: 'le' }, ...spec },
    ...(status !== undefined && { status }),
  };
}

const aWindow = (startMs: number, endMs: number, serialNumber = '01') =>
  ({ kind: 'window', serialNumber, startMs, endMs, explanationUrl: undefined }) satisfies RenewalAdvice;

const leaf = { serialNumber: '01', notBeforeMs, notAfterMs };
const none = { kind: 'none' } as const;
const unknown = { kind: 'unknown' } as const;

const anInstant = (fromMs: number, toMs: number) => fc.integer({ min: fromMs, max: toMs });

describe('without advice', () => {
  const anInput = fc.record({
    lifetimeMs: fc.integer({ min: 60_000, max: 400 * dayMs }),
    uid: fc.uuid(),
  });

  it('a renewal comes up to 3 % of its lead earlier than by the spec, and never later', () => {
    fc.assert(
      fc.property(anInput, ({ lifetimeMs, uid }) => {
        const limits = { notBeforeMs, notAfterMs: notBeforeMs + lifetimeMs };
        const plainMs = renewalTimeMs(limits);
        const { atMs } = renewalTimeOf({
          certificate: aCertificate({}, { uid }),
          leaf: { ...leaf, ...limits },
          askedForMs: Number.NaN,
          advice: none,
        });
        const leadMs = limits.notAfterMs - plainMs;
        expect(atMs).toBeLessThanOrEqual(plainMs);
        expect(atMs).toBeGreaterThanOrEqual(plainMs - 0.03 * leadMs - 1_000);
        expect(atMs).toBeGreaterThanOrEqual(notBeforeMs - 1_000);
      }),
    );
  });

  it.each<[string, Partial<CertificateSpec>, number]>([
    ['renewBefore', { renewBefore: '240h' }, 10 * dayMs],
    ['renewBefore with a part of a second', { renewBefore: '240h0.4s' }, 10 * dayMs + 1_000],
    ['renewBeforePercentage', { renewBeforePercentage: 25 }, 22.5 * dayMs],
  ])('a renewal comes to the second when %s says, whatever certificate it is', (_what, spec, beforeMs) => {
    for (const uid of ['a', 'b', 'c', 'd']) {
      const certificate = aCertificate(spec, { uid });
      const { atMs } = renewalTimeOf({ certificate, leaf, askedForMs: Number.NaN, advice: none });
      expect(atMs).toBe(notAfterMs - beforeMs);
    }
  });

  it.each([
    ['the certificate is shorter', { renewBefore: '4000h' }],
    ['it is no time at all', { renewBefore: '0s' }],
  ])('a renewBefore counts as none where %s', (_what, spec) => {
    const timeWith = (spec: Partial<CertificateSpec>): number =>
      renewalTimeOf({ certificate: aCertificate(spec), leaf, askedForMs: Number.NaN, advice: none }).atMs;
    expect(timeWith(spec)).toBe(timeWith({}));
  });

  it('a thousand certificates of one second are spread over 20 hours', () => {
    const times = Array.from({ length: 1_000 }, (_, number) => {
      const certificate = aCertificate({}, { uid: `uid-${number}` });
      return renewalTimeOf({ certificate, leaf, askedForMs: Number.NaN, advice: none }).atMs;
    });
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(20 * hourMs);
    const hours = [...Map.groupBy(times, ms => Math.floor(ms / hourMs)).values()];
    expect(Math.max(...hours.map(hour => hour.length))).toBeLessThan(90);
  });
});

describe.each([
  ['without advice', none],
  ['with a window that is over', aWindow(notBeforeMs + dayMs, notBeforeMs + 2 * dayMs)],
])('%s', (_what, advice) => {
  it('what had expired when it was asked for, by a wrong clock, is asked for again once an hour', () => {
    const askedForMs = notAfterMs + 10 * dayMs;
    const { atMs } = renewalTimeOf({ certificate: aCertificate(), leaf, askedForMs, advice });
    expect(atMs).toBe(askedForMs + hourMs);
  });
});

describe('with a window', () => {
  it('a renewal comes within it, at the same instant each time', () => {
    const aCase = fc.record({
      startMs: anInstant(notBeforeMs + 2 * hourMs, notAfterMs - 2 * dayMs),
      lengthMs: fc.integer({ min: 1_000, max: dayMs }),
      uid: fc.uuid(),
    });
    fc.assert(
      fc.property(aCase, ({ startMs, lengthMs, uid }) => {
        const advice = aWindow(startMs, startMs + lengthMs);
        const input = { certificate: aCertificate({}, { uid }), leaf, askedForMs: notBeforeMs, advice };
        const { atMs, window } = renewalTimeOf(input);
        // Cut to the second, as the status has it.
        expect(atMs).toBeGreaterThan(startMs - 1_000);
        expect(atMs).toBeLessThan(startMs + lengthMs);
        expect(window).toBe(advice);
        expect(renewalTimeOf(input).atMs).toBe(atMs);
      }),
    );
  });

  it('certificates are spread evenly over it', () => {
    const shares = Array.from({ length: 2_000 }, (_, number) => shareOf(aCertificate(), String(number)));
    for (const tenth of Map.groupBy(shares, share => Math.floor(share * 10)).values())
      expect(tenth.length).toBeGreaterThan(140);
    expect(Math.max(...shares)).toBeLessThan(1);
  });

  it('that is over a renewal is due at once, but for the first hour of a certificate', () => {
    const advice = aWindow(notBeforeMs - 2 * hourMs, notBeforeMs - hourMs);
    const askedForMs = notBeforeMs + 10 * dayMs;
    expect(renewalTimeOf({ certificate: aCertificate(), leaf, askedForMs, advice }).atMs).toBe(
      askedForMs + hourMs,
    );
  });

  it.each([
    ['renewBefore', { renewBefore: '960h' }],
    ['renewBeforePercentage', { renewBeforePercentage: 45 }],
  ])('a renewal comes no later than %s says', (_field, spec) => {
    const advice = aWindow(notAfterMs - 20 * dayMs, notAfterMs - 18 * dayMs);
    const input = { certificate: aCertificate(spec), leaf, askedForMs: notBeforeMs };
    expect(renewalTimeOf({ ...input, advice })).toEqual(renewalTimeOf({ ...input, advice: none }));
    const early = aWindow(notBeforeMs + 10 * dayMs, notBeforeMs + 11 * dayMs);
    expect(renewalTimeOf({ ...input, advice: early }).atMs).toBeLessThan(notBeforeMs + 11 * dayMs);
  });

  it('past the end of the certificate the spec decides', () => {
    const advice = aWindow(notAfterMs, notAfterMs + dayMs);
    const input = { certificate: aCertificate(), leaf, askedForMs: notBeforeMs };
    expect(renewalTimeOf({ ...input, advice })).toEqual(renewalTimeOf({ ...input, advice: none }));
  });
});

describe('while the server has not answered', () => {
  const renewalTime = rfc3339(notBeforeMs + 50 * dayMs);
  const stored = (change: CertificateStatus = {}): CertificateStatus => ({
    notBefore: rfc3339(notBeforeMs),
    notAfter: rfc3339(notAfterMs),
    renewalTime,
    conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }],
    ...change,
  });
  const timeWith = (status: CertificateStatus | undefined, advice: RenewalAdvice = unknown): number =>
    renewalTimeOf({
      certificate: aCertificate({}, status === undefined ? {} : { status }),
      leaf,
      askedForMs: notBeforeMs,
      advice,
    }).atMs;

  it('a renewal comes when the status says', () => {
    expect(timeWith(stored())).toBe(Date.parse(renewalTime));
  });

  it('the window of another certificate counts for nothing', () => {
    const advice = aWindow(notBeforeMs, notBeforeMs + dayMs, '02');
    expect(timeWith(stored(), advice)).toBe(Date.parse(renewalTime));
    expect(timeWith(undefined, advice)).toBe(timeWith(undefined, none));
  });

  it.each([
    ['is missing', undefined],
    ['is of another certificate', stored({ notAfter: rfc3339(notAfterMs - dayMs) })],
    [
      'is of another spec',
      stored({ conditions: [{ type: 'Ready', status: 'True', observedGeneration: 0 }] }),
    ],
    ['is past the end', stored({ renewalTime: rfc3339(notAfterMs + dayMs) })],
    ['is no time', stored({ renewalTime: 'soon' })],
  ])('the spec decides where the status %s', (_what, status) => {
    expect(timeWith(status)).toBe(timeWith(undefined, none));
  });
});
