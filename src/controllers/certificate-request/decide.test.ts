import { beforeAll, describe, expect, it } from 'vitest';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import type { Condition } from '../../api/condition.ts';
import { createCsr } from '../../pki/csr.ts';
import { generatePrivateKey } from '../../pki/private-key.ts';
import { decideRequest, type RequestDecision } from './decide.ts';

let csr: string;
let caCsr: string;

beforeAll(async () => {
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  csr = await createCsr({ dnsNames: ['site.example.com'], key });
  caCsr = await createCsr({ commonName: 'a CA', isCA: true, key });
});

const condition = (type: string, status: Condition['status'], reason = 'X', message?: string): Condition => ({
  type,
  status,
  reason,
  message,
});

function aRequest(
  conditions: Condition[] = [],
  spec: Partial<CertificateRequest['spec']> = {},
): CertificateRequest {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: { name: 'site-1', namespace: 'shop', uid: 'uid' },
    spec: { issuerRef: { name: 'ca' }, request: Buffer.from(csr).toString('base64'), ...spec },
    status: { conditions },
  };
}

function anIssuer(ready?: Condition): Issuer {
  return {
    metadata: { name: 'ca', namespace: 'shop' },
    spec: { selfSigned: {} },
    ...(ready !== undefined && { status: { conditions: [ready] } }),
  };
}

const readyIssuer = anIssuer(condition('Ready', 'True'));
const foreign = { issuerRef: { name: 'a', kind: 'TheirIssuer', group: 'theirs.example.com' } };

function decide(
  request: CertificateRequest,
  issuer: Issuer | undefined = readyIssuer,
  approves = true,
): RequestDecision {
  return decideRequest(request, issuer, approves);
}

describe('a request for an issuer of ours', () => {
  it('is signed where the issuer is Ready', () => {
    expect(decide(aRequest())).toMatchObject({ kind: 'sign', issuer: readyIssuer });
  });

  it.each([
    ['is signed', condition('Ready', 'True', 'Issued')],
    ['has failed', condition('Ready', 'False', 'Failed')],
    ['was denied', condition('Ready', 'False', 'Denied')],
  ])('that %s is left alone', (_what, ready) => {
    expect(decide(aRequest([ready]))).toEqual({ kind: 'ignore' });
  });

  it('that is being deleted is left alone', () => {
    const request = aRequest();
    const metadata = { ...request.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(decide({ ...request, metadata })).toEqual({ kind: 'ignore' });
  });

  it.each([
    ['that waits for the issuer', condition('Ready', 'False', 'Pending')],
    ['that is approved already', condition('Approved', 'True')],
    ['whose denial is False', condition('Denied', 'False')],
  ])('%s is signed', (_what, one) => {
    expect(decide(aRequest([one])).kind).toBe('sign');
  });

  it('that was denied is not, and says who said so', () => {
    expect(decide(aRequest([condition('Denied', 'True', 'Policy', 'not this one')]))).toEqual({
      kind: 'deny',
      message: 'The CertificateRequest was denied by an approver: not this one.',
    });
  });

  it('that is invalid fails', () => {
    expect(decide(aRequest([condition('InvalidRequest', 'True', 'X', 'no such usage')]))).toEqual({
      kind: 'fail',
      message: 'The CertificateRequest is invalid: no such usage.',
    });
  });

  it('waits for its approval where another approves', () => {
    expect(decide(aRequest(), readyIssuer, false)).toEqual({
      kind: 'await-approval',
      message: 'CertificateRequest "site-1" is not approved yet; see that an approver runs for Issuer "ca".',
    });
    expect(decide(aRequest([condition('Approved', 'True')]), readyIssuer, false).kind).toBe('sign');
  });

  it.each([
    [
      'does not exist',
      undefined,
      'IssuerNotFound',
      'There is no Issuer "ca" in namespace "shop"; create it, or name another one.',
    ],
    ['is new', anIssuer(), 'IssuerNotReady', 'Issuer "ca" is not ready yet.'],
    [
      'is not ready',
      anIssuer(condition('Ready', 'False', 'X', 'no key')),
      'IssuerNotReady',
      'Issuer "ca" is not ready: no key.',
    ],
  ])('waits for an issuer that %s', (_what, issuer, reason, message) => {
    expect(decideRequest(aRequest(), issuer, true)).toEqual({ kind: 'await-issuer', reason, message });
  });

  it.each([
    [
      'is no CSR',
      () => ({ request: 'eA==' }),
      'spec.request holds no valid certificate signing request: expected one',
    ],
    [
      'asks for an authority that the spec does not ask for',
      () => ({ request: Buffer.from(caCsr).toString('base64') }),
      'spec.request asks for a certificate authority, and spec.isCA is not true',
    ],
    [
      'asks for names that would be left out',
      () => ({ request: csrWithDirectoryName }),
      'spec.request asks for names of a kind that Postern does not certify: directoryName; leave them out.',
    ],
  ])('whose CSR %s fails', (_what, spec, said) => {
    const decision = decide(aRequest([], spec()));
    expect(decision.kind).toBe('fail');
    expect((decision as RequestDecision & { kind: 'fail' }).message).toContain(said);
  });
});

describe('a request for an issuer of another group', () => {
  it('is approved, once, and left to that', () => {
    expect(decide(aRequest([], foreign))).toEqual({ kind: 'approve' });
    expect(decide(aRequest([condition('Approved', 'True')], foreign))).toEqual({ kind: 'ignore' });
  });

  it('is not approved where it was denied, or where another approves', () => {
    expect(decide(aRequest([condition('Denied', 'True')], foreign))).toEqual({ kind: 'ignore' });
    expect(decide(aRequest([], foreign), undefined, false)).toEqual({ kind: 'ignore' });
  });
});

/** `openssl req` with `subjectAltName = DNS:site.example.com, dirName:...`: base64 of the PEM. */
const csrWithDirectoryName =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkdEQ0J2d0lCQURBYk1Sa3dGd1lEVlFRRERCQnphWFJs' +
  'TG1WNFlXMXdiR1V1WTI5dE1Ga3dFd1lIS29aSQp6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUVIZlJqOWl2Q3ZhV2Z6L2dRM0RG' +
  'NWN0NkoyVjJodG9xUXVqSTd0c2NlCkc3R0ZtYXJHM29tbnNRYWM2TVJGZmk4OExYUng3VkRIa3FBSStHRlY1UHRzQnFCQ01F' +
  'QUdDU3FHU0liM0RRRUoKRGpFek1ERXdMd1lEVlIwUkJDZ3dKb0lRYzJsMFpTNWxlR0Z0Y0d4bExtTnZiYVFTTUJBeERqQU1C' +
  'Z05WQkFNTQpCVzkwYUdWeU1Bb0dDQ3FHU000OUJBTUNBMGdBTUVVQ0lIYUFIQnB1SzdMa0NzejVKZ2E0MitsbkV6bThydFZ3' +
  'ClAzbGxqOU41akFrdUFpRUEzZGRTbzIxMTRjKzZ3YmxwSE41Ry93SitHbFZsTHVpZTBSbHRCTldYRmFRPQotLS0tLUVORCBD' +
  'RVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';
