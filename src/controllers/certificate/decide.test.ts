import { beforeAll, describe, expect, it } from 'vitest';
import type { CertificateStatus } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { type CertificateDecision, decideCertificate } from './decide.ts';
import {
  aCertificate,
  aNextKey,
  anIssued,
  aRequest,
  aSecret,
  aState,
  dayMs,
  type Issued,
  nowMs,
} from './state.testing.ts';
import type { CertificateState } from './state.ts';

let issued: Issued;
let other: Issued;
let big: Issued;

beforeAll(async () => {
  issued = await anIssued();
  other = await anIssued();
  big = await anIssued({ size: 384 });
});

const hourMs = 3_600_000;
const encoded = (text: string): string => Buffer.from(text).toString('base64');
const ready = (status: 'True' | 'False', reason: string): CertificateRequest['status'] => ({
  conditions: [
    { type: 'Ready', status, reason, message: 'so it is', lastTransitionTime: '2025-12-31T23:30:00Z' },
  ],
});
const signed = (chain: string): CertificateRequest['status'] => ({
  ...ready('True', 'Issued'),
  certificate: encoded(chain),
});
const askedFor: CertificateStatus = {
  conditions: [
    {
      type: 'Issuing',
      status: 'True',
      reason: 'ManuallyTriggered',
      message: 'by hand',
      observedGeneration: 1,
    },
  ],
};
/** The status after so many failures, the last of them half an hour ago. */
const failed = (failedIssuanceAttempts: number, observedGeneration = 1): CertificateStatus => ({
  failedIssuanceAttempts,
  lastFailureTime: '2025-12-31T23:30:00Z',
  conditions: [{ type: 'Issuing', status: 'False', reason: 'Failed', message: 'no', observedGeneration }],
});
const failedAtMs = Date.parse('2025-12-31T23:30:00Z');

const kindOf = (state: CertificateState, atMs = nowMs): CertificateDecision['kind'] =>
  decideCertificate(state, atMs).kind;

describe('the steps of an issuance', () => {
  it.each([
    ['nothing is to do', () => aState({ secret: aSecret(issued) }), 'ready'],
    ['there is no Secret', () => aState(), 'make-key'],
    ['the key is there', () => aState({ nextKey: aNextKey(issued.key) }), 'make-request'],
    [
      'the request is there',
      () => aState({ nextKey: aNextKey(issued.key), nextRequest: aRequest(issued.csr) }),
      'wait',
    ],
    [
      'the request says what it waits for',
      () =>
        aState({
          nextKey: aNextKey(issued.key),
          nextRequest: aRequest(issued.csr, ready('False', 'Pending')),
        }),
      'wait',
    ],
    [
      'the request is signed',
      () =>
        aState({ nextKey: aNextKey(issued.key), nextRequest: aRequest(issued.csr, signed(issued.chain)) }),
      'complete',
    ],
    [
      'the Secret is written, and the process died before it said so',
      () =>
        aState({
          secret: aSecret(issued),
          nextKey: aNextKey(issued.key),
          nextRequest: aRequest(issued.csr, signed(issued.chain)),
        }),
      'complete',
    ],
    [
      'it was asked for by hand',
      () => aState({ certificate: aCertificate({}, askedFor), secret: aSecret(issued) }),
      'make-key',
    ],
    [
      'what it was for has been mended before anything was asked for',
      () => aState({ secret: aSecret(issued), nextKey: aNextKey(other.key) }),
      'ready',
    ],
  ] as const)('when %s', (_when, state, kind) => {
    expect(kindOf(state())).toBe(kind);
  });
});

describe('what was begun and does not fit', () => {
  it.each([
    [
      'the key of the request is gone: the request goes',
      () => aState({ nextRequest: aRequest(issued.csr) }),
      { kind: 'restart', dropKey: false },
    ],
    [
      'the request was made with another key: the request goes',
      () => aState({ nextKey: aNextKey(other.key), nextRequest: aRequest(issued.csr) }),
      { kind: 'restart', dropKey: false },
    ],
    [
      'the key is damaged: both go',
      () => aState({ nextKey: { ...aNextKey(issued.key), data: { 'tls.key': 'eA==' } } }),
      { kind: 'restart', dropKey: true },
    ],
    [
      'the spec asks for another key: both go',
      () => aState({ nextKey: aNextKey(big.key) }),
      { kind: 'restart', dropKey: true },
    ],
    [
      'the spec asks for other names: the request goes',
      () =>
        aState({
          certificate: aCertificate({ dnsNames: ['new.example.com'] }),
          nextKey: aNextKey(issued.key),
          nextRequest: aRequest(issued.csr, signed(issued.chain)),
        }),
      { kind: 'restart', dropKey: false },
    ],
    [
      'the spec names another issuer: the request goes',
      () =>
        aState({
          certificate: aCertificate({ issuerRef: { name: 'new' } }),
          nextKey: aNextKey(issued.key),
          nextRequest: aRequest(issued.csr),
        }),
      { kind: 'restart', dropKey: false },
    ],
    [
      'the request is no CSR any more: it goes',
      () => aState({ nextKey: aNextKey(issued.key), nextRequest: aRequest('rubbish') }),
      { kind: 'restart', dropKey: false },
    ],
  ] as const)('%s', (_what, state, decision) => {
    expect(decideCertificate(state(), nowMs)).toEqual(decision);
  });

  it('a request that is being deleted is waited for', () => {
    const request = aRequest(issued.csr, ready('False', 'Failed'));
    const metadata = { ...request.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(kindOf(aState({ nextRequest: { ...request, metadata } }))).toBe('await-deletion');
  });
});

describe('a failure', () => {
  const begun = (
    status: CertificateRequest['status'],
    known: Partial<CertificateState> = {},
    attempt = 1,
  ): CertificateState =>
    aState({
      nextKey: aNextKey(issued.key),
      nextRequest: aRequest(issued.csr, status, { attempt }),
      ...known,
    });

  it.each([
    ['a request that has failed', ready('False', 'Failed'), 'Failed', 'so it is'],
    [
      'a request that was denied',
      { conditions: [{ type: 'Denied', status: 'True', reason: 'Policy', message: 'not this one' }] },
      'Denied',
      'not this one',
    ],
    [
      'a request that is invalid',
      { conditions: [{ type: 'InvalidRequest', status: 'True', reason: 'X', message: 'not like this' }] },
      'Failed',
      'not like this',
    ],
    ['a request without its certificate', ready('True', 'Issued'), 'Failed', 'its certificate is missing'],
  ] as [string, CertificateRequest['status'], string, string][])(
    'of %s is recorded',
    (_of, status, reason, said) => {
      const decision = decideCertificate(begun(status), nowMs);
      expect(decision).toMatchObject({ kind: 'fail', failure: { reason } });
      expect((decision as CertificateDecision & { kind: 'fail' }).failure.message).toContain(said);
    },
  );

  it('with a certificate for another key is recorded', () => {
    expect(kindOf(begun(signed(other.chain)))).toBe('fail');
  });

  it('of the same try is not recorded twice, whenever the issuer says that it was', () => {
    for (const failureTime of ['2020-01-01T00:00:00Z', '2030-01-01T00:00:00Z', undefined, 'yesterday']) {
      const state = begun(
        { ...ready('False', 'Failed'), failureTime },
        { certificate: aCertificate({}, failed(1)) },
      );
      expect(kindOf(state), String(failureTime)).toBe('back-off');
    }
  });

  it('of the next try is recorded, however soon it comes', () => {
    const state = begun(ready('False', 'Failed'), { certificate: aCertificate({}, failed(1)) }, 2);
    expect(kindOf(state)).toBe('fail');
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [6, 32],
    [20, 32],
  ])('number %i is waited out for %i h', (attempts, hours) => {
    const certificate = aCertificate({}, failed(attempts));
    const state = begun(ready('False', 'Failed'), { certificate }, attempts);
    const untilMs = failedAtMs + hours * hourMs;
    expect(decideCertificate(state, untilMs - 1)).toMatchObject({ kind: 'back-off', untilMs });
    expect(decideCertificate(state, untilMs)).toEqual({ kind: 'restart', dropKey: true });
  });

  it('is not waited out where somebody asks, or where the spec has changed', () => {
    const byHand = { ...failed(1), ...askedFor };
    expect(kindOf(begun(ready('False', 'Failed'), { certificate: aCertificate({}, byHand) }))).toBe(
      'restart',
    );
    const changed = aCertificate({ dnsNames: ['new.example.com'] }, failed(1));
    expect(kindOf(begun(ready('False', 'Failed'), { certificate: changed }))).toBe('restart');
  });

  it('whose request is gone is waited out all the same, unless the spec has changed since', () => {
    const waiting = aState({ certificate: aCertificate({}, failed(1)) });
    expect(kindOf(waiting)).toBe('back-off');
    expect(kindOf(waiting, failedAtMs + hourMs)).toBe('make-key');
    const changed = aCertificate({}, failed(1));
    const metadata = { ...changed.metadata, generation: 2 };
    expect(kindOf(aState({ certificate: { ...changed, metadata } }))).toBe('make-key');
  });

  it('of a renewal leaves a good certificate alone when it is not needed any more', () => {
    const state = begun(ready('False', 'Failed'), {
      certificate: aCertificate({}, failed(1)),
      secret: aSecret(issued),
    });
    expect(kindOf(state)).toBe('ready');
    expect(kindOf(state, nowMs + 80 * dayMs)).toBe('restart');
  });

  it('of what is not asked for any more is not recorded', () => {
    const certificate = aCertificate({ dnsNames: ['new.example.com'] });
    const decision = decideCertificate(begun(ready('False', 'Failed'), { certificate }), nowMs);
    expect(decision).toEqual({ kind: 'restart', dropKey: true });
  });
});

describe('nothing is done', () => {
  it.each([
    ['InvalidSpec', { certificate: aCertificate({ dnsNames: [] }) }, 'spec names nothing'],
    ['DuplicateSecretName', { rival: aCertificate() }, 'give each Certificate a Secret of its own.'],
    [
      'UnusableSecret',
      { secret: { metadata: { name: 'site-tls' }, type: 'kubernetes.io/dockerconfigjson' } },
      'which holds no certificate; name another Secret.',
    ],
    [
      'UnusableSecret',
      { secret: { metadata: { name: 'site-tls' }, immutable: true } },
      'delete it, or name another Secret.',
    ],
  ])('%s', (reason, known, message) => {
    const decision = decideCertificate(aState(known), nowMs);
    expect(decision).toMatchObject({ kind: 'stop', reason });
    expect((decision as CertificateDecision & { kind: 'stop' }).message).toContain(message);
  });

  it('an immutable Secret that is right is all right', () => {
    expect(kindOf(aState({ secret: aSecret(issued, { immutable: true }) }))).toBe('ready');
  });
});
