import { beforeAll, describe, expect, it } from 'vitest';
import { issuanceViolation } from './checks.ts';
import {
  aCertificate,
  anIssued,
  aRequest,
  aSecret,
  aState,
  dayMs,
  type Issued,
  nowMs,
} from './state.testing.ts';
import type { CertificateState } from './state.ts';
import { issuingStatus, readyCondition } from './status.ts';

let issued: Issued;

beforeAll(async () => {
  issued = await anIssued();
});

const readyAt = (state: CertificateState, atMs: number) =>
  readyCondition(state, issuanceViolation(state, atMs), atMs);

describe('the Ready condition', () => {
  it.each([
    ['in the middle of its life', 30, 'True', 'Ready', 'is up to date and valid until 2026-03-31T00:00:00Z.'],
    [
      'while it is due for renewal',
      80,
      'True',
      'Ready',
      'is up to date and valid until 2026-03-31T00:00:00Z.',
    ],
    ['after its end', 90, 'False', 'Expired', 'The certificate expired at 2026-03-31T00:00:00Z.'],
  ])('of a certificate %s', (_when, days, status, reason, message) => {
    expect(readyAt(aState({ secret: aSecret(issued) }), nowMs + days * dayMs)).toMatchObject({
      type: 'Ready',
      status,
      reason,
      message: expect.stringContaining(message) as string,
      observedGeneration: 1,
    });
  });

  it('of one that has expired and is not what the spec asks for says the latter', () => {
    const certificate = aCertificate({ dnsNames: ['new.example.com'] });
    const state = aState({ certificate, secret: aSecret(issued) });
    expect(readyAt(state, nowMs + 90 * dayMs)).toMatchObject({ status: 'False', reason: 'RequestChanged' });
  });
});

describe('the conditions while an issuer is asked', () => {
  const why = { reason: 'DoesNotExist', message: 'Secret "site-tls" does not exist yet.' };
  const messagesOf = (state: CertificateState): (string | undefined)[] =>
    (issuingStatus(state, why, why, nowMs).conditions ?? []).map(
      ({ type, message }) => `${type}: ${message}`,
    );

  it('say why it is issued', () => {
    expect(messagesOf(aState({ nextRequest: aRequest(issued.csr) }))).toEqual([
      `Ready: ${why.message}`,
      `Issuing: ${why.message}`,
    ]);
  });

  it('say what the request waits for, as soon as it says so', () => {
    const condition = {
      type: 'Ready',
      status: 'False',
      reason: 'Pending',
      message: 'Port 80 is shut; open it.',
    } as const;
    expect(messagesOf(aState({ nextRequest: aRequest(issued.csr, { conditions: [condition] }) }))).toEqual([
      `Ready: ${why.message} Port 80 is shut; open it.`,
      'Issuing: Port 80 is shut; open it.',
    ]);
  });
});
