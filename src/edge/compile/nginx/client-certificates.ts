import { compilePattern } from '../../match/path-pattern.ts';
import type { AnnotationRow } from './annotation-row.ts';
import { flag, matching, oneOf, printable, template, wholeNumber } from './annotation-values.ts';

/** Mutual TLS. */
export const clientCertificateRows: readonly AnnotationRow[] = [
  {
    name: 'auth-tls-secret',
    support: 'differs',
    values: '`name` or `namespace/name`, of the namespace of the Ingress',
    help: 'The Secret whose `ca.crt` verifies client certificates, and whose `ca.crl` revokes them. Without `ca.crt` the paths answer 503, where ingress-nginx turns mutual TLS off. Over plain HTTP such paths answer 403.',
    guard: true,
    opensWithout: true,
    read: matching('clientSecret', printable, 'the name of a Secret'),
  },
  {
    name: 'auth-tls-verify-client',
    support: 'differs',
    values: '`on`, `off`, `optional`, `optional_no_ca`',
    help: 'Whether a certificate is asked for, and whether it must be there; `on` without it. A request whose connection was made for a host with other settings is answered with 421.',
    guard: true,
    read: oneOf('clientMode', ['on', 'off', 'optional', 'optional_no_ca']),
  },
  {
    name: 'auth-tls-verify-depth',
    support: 'supported',
    values: '`1` to `100`',
    help: 'How many authorities may stand between the certificate and one of `ca.crt`; 1 without it.',
    guard: true,
    read: wholeNumber('clientDepth', 1, 100),
  },
  {
    name: 'auth-tls-error-page',
    support: 'supported',
    values: 'URL, with [variables](#variables)',
    help: 'Where clients are sent (302) whose certificate is missing or fails, in place of 400.',
    read: template('clientErrorPage', /^(?:https?:\/\/|\/(?![/\\]))[^\s"\\]+$/, 'an http or https URL'),
  },
  {
    name: 'auth-tls-pass-certificate-to-upstream',
    support: 'supported',
    values: '`true`, `false`',
    help: 'Whether upstreams are sent the certificate (`ssl-client-cert`, URL-encoded PEM) beside `ssl-client-verify`, `ssl-client-subject-dn` and `ssl-client-issuer-dn`.',
    read: flag('clientPass'),
  },
  {
    name: 'auth-tls-match-cn',
    support: 'differs',
    values: '`CN=` and a regular expression',
    help: 'The common name must match from its beginning, else 403; without `auth-tls-secret` the paths answer 503. The expression has no look-around and no back-references; ingress-nginx puts it into its configuration as it is (CVE-2025-1097).',
    guard: true,
    read: (value, draft) => {
      const source = /^CN=(.+)$/.exec(value)?.[1];
      if (source === undefined) return 'use "CN=" and a regular expression';
      const compiled = compilePattern(source);
      if ('error' in compiled) return `its regular expression is refused: ${compiled.error}`;
      draft.clientCommonName = source;
      return undefined;
    },
  },
];
