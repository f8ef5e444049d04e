import { createSecureContext } from 'node:tls';
import type { AnnotationRow, Draft } from './annotation-row.ts';
import { matching, onOff, printable, wholeNumber } from './annotation-values.ts';

const protocols: readonly NonNullable<Draft['protocol']>[] = ['HTTP', 'HTTPS', 'AUTO_HTTP', 'GRPC', 'GRPCS'];
/** Suites that encrypt nothing, or with whoever answers, whatever the list says. */
const never = ':!eNULL:!aNULL';
const old: ReadonlySet<string> = new Set(['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.0', 'TLSv1.1']);

/** How upstreams are spoken to. */
export const upstreamTlsRows: readonly AnnotationRow[] = [
  {
    name: 'backend-protocol',
    support: 'differs',
    values: '`HTTP`, `HTTPS`, `AUTO_HTTP`, `GRPC`, `GRPCS`, in any case of letters',
    help: 'HTTP/1.1, or HTTP/2 for the last two; with TLS for `HTTPS` and `GRPCS`, and for `AUTO_HTTP` where the client came over TLS. `FCGI` and anything else is refused; ingress-nginx takes it for `HTTP`.',
    guard: true,
    read: (value, draft) => {
      const protocol = protocols.find(one => one === value.toUpperCase());
      if (protocol === undefined) return 'use "HTTP", "HTTPS", "AUTO_HTTP", "GRPC" or "GRPCS"';
      draft.protocol = protocol;
      return undefined;
    },
  },
  {
    name: 'proxy-ssl-secret',
    support: 'differs',
    values: '`name` or `namespace/name`, of the namespace of the Ingress',
    help: 'The Secret whose `ca.crt` verifies the upstream; its `tls.crt` and `tls.key` are the client certificate, where they are there. Without `ca.crt` it is refused (unless verification is off), where ingress-nginx drops both.',
    guard: true,
    read: matching('upstreamSecret', printable, 'the name of a Secret'),
  },
  {
    name: 'proxy-ssl-verify',
    support: 'differs',
    values: '`on`, `off`',
    help: "Whether the upstream's certificate and its name are verified: `on` without it, where ingress-nginx has `off`. `off` makes an event.",
    guard: true,
    read: onOff('upstreamVerify'),
  },
  {
    name: 'proxy-ssl-verify-depth',
    support: 'differs',
    values: '`1` to `100`',
    help: 'How many authorities may stand between the certificate and one of `ca.crt`: 1 with `proxy-ssl-secret`, any number with the authorities of the system.',
    guard: true,
    read: wholeNumber('upstreamDepth', 1, 100),
  },
  {
    name: 'proxy-ssl-name',
    support: 'differs',
    values: 'DNS name',
    help: "The name that is verified and sent as SNI; `<service>.<namespace>.svc` without it, or the Service's externalName.",
    guard: true,
    read: (value, draft) => {
      // Judged where it is used, with the rest of TLS.
      draft.upstreamName = value;
      return undefined;
    },
  },
  {
    name: 'proxy-ssl-server-name',
    support: 'differs',
    values: '`on`, `off`',
    help: 'Whether SNI is sent: `on` without it, where ingress-nginx has `off`.',
    guard: true,
    read: onOff('upstreamServerName'),
  },
  {
    name: 'proxy-ssl-protocols',
    support: 'differs',
    values: '`TLSv1.2`, `TLSv1.3` or both, with blanks between',
    help: 'The versions that are offered; both without it. Older ones are never spoken: beside newer ones they are left out, alone they are refused.',
    guard: true,
    read: (value, draft) => {
      const named = value.split(/\s+/);
      const has = (version: string): boolean => named.includes(version);
      const unknown = named.some(
        version => version !== 'TLSv1.2' && version !== 'TLSv1.3' && !old.has(version),
      );
      if (unknown || (!has('TLSv1.2') && !has('TLSv1.3')))
        return 'use "TLSv1.2", "TLSv1.3" or "TLSv1.2 TLSv1.3"';
      draft.upstreamMinVersion = has('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3';
      draft.upstreamMaxVersion = has('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2';
      return undefined;
    },
  },
  {
    name: 'proxy-ssl-ciphers',
    support: 'differs',
    values: "OpenSSL's list",
    help: "The suites of TLS 1.2 that are offered; those of TLS 1.3 are OpenSSL's own. Suites without encryption or authentication are left out; a list that OpenSSL does not take, or of those alone, is refused.",
    guard: true,
    read: (value, draft) => {
      // `DEFAULT` is what is offered without it.
      if (value === 'DEFAULT') return undefined;
      // Those of TLS 1.3 have no such suites, and a list of them alone cannot be narrowed.
      const ciphers = value.split(':').every(name => name.startsWith('TLS_')) ? value : `${value}${never}`;
      try {
        if (!/^[\w:!+@=-]+$/.test(value)) throw new Error('form');
        createSecureContext({ ciphers });
      } catch {
        return 'use names of OpenSSL with colons between, of suites that encrypt';
      }
      draft.upstreamCiphers = ciphers;
      return undefined;
    },
  },
  {
    name: 'secure-backends',
    support: 'refused',
    values: '`true`, `false`',
    help: 'Of ingress-nginx before 0.18: write `backend-protocol: HTTPS`.',
    harmless: value => value === 'false',
  },
  {
    name: 'secure-verify-ca-secret',
    support: 'refused',
    values: 'Secret',
    help: 'Of ingress-nginx before 0.18: write `proxy-ssl-secret`.',
  },
  {
    name: 'grpc-backend',
    support: 'refused',
    values: '`true`, `false`',
    help: 'Of ingress-nginx before 0.18: write `backend-protocol: GRPC`.',
    harmless: value => value === 'false',
  },
  {
    name: 'ssl-passthrough',
    support: 'refused',
    values: '`true`, `false`',
    help: 'TLS ends at the edge. For TLS as far as the upstream, set `backend-protocol: HTTPS` with `proxy-ssl-secret`.',
    harmless: value => value === 'false',
  },
];
