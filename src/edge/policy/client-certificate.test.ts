import { describe, expect, it } from 'vitest';
import { commonNameOf, judgeCertificate } from './client-certificate.ts';
import { aClientCertificate, aHead } from './heads.testing.ts';
import type { ClientCertificatePolicy } from './route-policy.ts';

const policy: ClientCertificatePolicy = {
  id: 'p1',
  mode: 'on',
  ca: 'PEM',
  crl: undefined,
  depth: 1,
  passToUpstream: false,
  errorPage: undefined,
  commonName: undefined,
};

function verdict(
  parts: Partial<ClientCertificatePolicy>,
  verified: string | undefined,
  subject?: string,
): number | 'pass' {
  const client = verified === undefined ? undefined : aClientCertificate('p1', verified, subject);
  const judged = judgeCertificate(
    { ...policy, ...parts },
    aHead(client === undefined ? {} : { client }).connection,
  );
  return judged.kind === 'pass' ? 'pass' : judged.status;
}

describe('client certificates', () => {
  it.each<[mode: ClientCertificatePolicy['mode'], verified: string, outcome: number | 'pass']>([
    ['on', 'SUCCESS', 'pass'],
    ['on', 'NONE', 400],
    ['on', 'FAILED:certificate has expired', 400],
    ['on', 'FAILED:unable to verify the first certificate', 400],
    ['optional', 'SUCCESS', 'pass'],
    ['optional', 'NONE', 'pass'],
    ['optional', 'FAILED:unable to verify the first certificate', 400],
    ['optional_no_ca', 'NONE', 'pass'],
    ['optional_no_ca', 'FAILED:unable to verify the first certificate', 'pass'],
    ['optional_no_ca', 'FAILED:self-signed certificate', 'pass'],
    ['optional_no_ca', 'FAILED:certificate has expired', 400],
    ['optional_no_ca', 'FAILED:certificate revoked', 400],
    ['on', 'nonsense', 400],
  ])('%s, %s: %s', (mode, verified, outcome) => {
    expect(verdict({ mode }, verified)).toBe(outcome);
  });

  it('statement 15: a connection that was judged by another policy is sent away with 421', () => {
    expect(verdict({ id: 'p2' }, 'SUCCESS')).toBe(421);
    expect(verdict({}, undefined)).toBe(421);
    expect(verdict({ mode: 'optional' }, undefined)).toBe(421);
  });

  it('plain HTTP passes by nobody', () => {
    const judged = judgeCertificate({ ...policy, mode: 'optional' }, aHead({ secure: false }).connection);
    expect(judged).toMatchObject({ kind: 'deny', status: 403 });
  });

  it.each([
    ['ann', 'CN=ann,O=Example', 'pass'],
    ['(ann|bob)$', 'O=Example\nCN=bob', 'pass'],
    ['ann', 'CN=joann', 403],
    ['ann$', 'CN=anna', 403],
    ['ann', 'O=CN\\=ann', 403],
    ['.*', 'O=Example', 403],
  ])('the name %s and the subject %j: %s', (commonName, subject, outcome) => {
    expect(verdict({ commonName }, 'SUCCESS', subject)).toBe(outcome);
  });

  it.each([
    ['CN=ann', 'ann'],
    ['C=DE\nCN=ann', 'ann'],
    ['C=DE, CN=a\\,b', 'a,b'],
    ['O=x', undefined],
    ['O=x\\, CN=root,CN=ann', 'ann'],
    ['O=x/CN=root,CN=ann', 'ann'],
    ['O=x\\+CN=root,CN=ann', 'ann'],
    ['O=x\\\\,CN=ann', 'ann'],
    ['UID=7+CN=ann,O=x', 'ann'],
    ['CN=J\\C3\\A4n', 'J\xc3\xa4n'],
  ])('%j is for %s', (subject, name) => {
    expect(commonNameOf(subject)).toBe(name);
  });

  it('tells the upstream what was found, in one line each, and the certificate where that is asked for', () => {
    const client = aClientCertificate('p1', 'SUCCESS', 'CN=ann\nO=Ä');
    const { connection } = aHead({ client });
    const judged = judgeCertificate(policy, connection);
    const set = [
      ['ssl-client-verify', 'SUCCESS'],
      ['ssl-client-subject-dn', 'CN=ann,O=%C3%84'],
      ['ssl-client-issuer-dn', 'CN=Test CA'],
    ];
    expect(judged).toMatchObject({ edits: { set } });
    const whole = judgeCertificate({ ...policy, passToUpstream: true }, connection);
    expect(whole).toMatchObject({
      edits: { set: [...set, ['ssl-client-cert', encodeURIComponent(client.pem)]] },
    });
    expect(judgeCertificate(policy, connection)).toEqual(judged);
  });

  it('tells of no certificate where there is none', () => {
    const client = aClientCertificate('p1', 'NONE');
    const judged = judgeCertificate({ ...policy, mode: 'optional' }, aHead({ client }).connection);
    expect(judged).toMatchObject({ edits: { set: [['ssl-client-verify', 'NONE']] } });
  });
});
