import { describe, expect, it } from 'vitest';
import type { Certificate } from './certificate.ts';
import { fallbackProblems, issuersOf, parseFallbackIssuers } from './fallback-issuers.ts';

const issuer = (name: string, kind = 'Issuer', group = 'cert-manager.io') => ({ name, kind, group });

function withFallbacks(text?: string): Pick<Certificate, 'metadata' | 'spec'> {
  return {
    metadata: { ...(text !== undefined && { annotations: { 'postern.dev/fallback-issuers': text } }) },
    spec: { secretName: 'site-tls', issuerRef: { name: 'first' } },
  };
}

describe('the value of postern.dev/fallback-issuers', () => {
  it.each([
    ['second', [issuer('second')]],
    ['Issuer/second', [issuer('second')]],
    ['ClusterIssuer/second', [issuer('second', 'ClusterIssuer')]],
    ['ClusterIssuer.cert-manager.io/second', [issuer('second', 'ClusterIssuer')]],
    ['AwsIssuer.aws.test/second', [issuer('second', 'AwsIssuer', 'aws.test')]],
    [' second , ClusterIssuer/third ', [issuer('second'), issuer('third', 'ClusterIssuer')]],
    ['a.b-c', [issuer('a.b-c')]],
  ])('%s', (text, issuers) => {
    expect(parseFallbackIssuers(text)).toEqual({ issuers });
  });

  it.each([
    ['second,', 'has an empty entry: name an issuer there, or take out the comma'],
    [' ', 'has an empty entry'],
    [
      'Second',
      'has "Second": each must be name, Kind/name or Kind.group/name, such as "ClusterIssuer/backup"',
    ],
    ['Issuer/', 'has "Issuer/": each must be'],
    ['/second', 'has "/second": each must be'],
    ['Issuer/shop/second', 'has "Issuer/shop/second": each must be'],
    ['Issuer./second', 'has "Issuer./second": each must be'],
    ['second third', 'has "second third": each must be'],
    [
      'Clusterissuer/second',
      'has "Clusterissuer/second": the kind must be Issuer or ClusterIssuer: for an issuer of another kind, add its API group',
    ],
  ])('%j is refused by name, with the fix', (text, wanted) => {
    expect(parseFallbackIssuers(text)).toEqual({ wanted: expect.stringContaining(wanted) as string });
  });
});

describe('the issuers of a Certificate', () => {
  it.each([
    ['that of the spec alone, without the annotation', undefined, ['first']],
    ['the same where it is empty', '', ['first']],
    ['the same where it cannot be read', 'x,,', ['first']],
    ['that of the spec, then the others in their order', 'third,second', ['first', 'third', 'second']],
    ['each once', 'second,first,second,Issuer/third,third', ['first', 'second', 'third']],
  ])('%s', (_, text, names) => {
    expect(issuersOf(withFallbacks(text)).map(({ name }) => name)).toEqual(names);
  });

  it('have a problem that names the annotation, its value and the fix where it cannot be read', () => {
    expect(fallbackProblems(withFallbacks('x,'))).toMatchObject([
      {
        message:
          'metadata.annotations["postern.dev/fallback-issuers"] "x," has an empty entry: name an issuer there, or take out the comma',
      },
    ]);
    for (const text of [undefined, '', 'second']) expect(fallbackProblems(withFallbacks(text))).toEqual([]);
  });
});
