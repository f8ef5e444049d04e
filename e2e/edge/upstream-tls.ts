import { expect, it } from 'vitest';
import type { Ingress } from '../../src/api/kubernetes/ingress.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { check, type Expected } from './expected.ts';
import { nginx, pairSecret, secret, servicePort, site } from './objects.ts';
import { type Chapter, sitesSecret, upstreamAt } from './world.ts';

interface Row {
  readonly name: string;
  /** Beside `backend-protocol: HTTPS`. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly service?: string;
  readonly expected: Expected;
}

const byInnerCa = { 'proxy-ssl-secret': 'default/inner-ca' };

const rows: readonly Row[] = [
  {
    name: 'verified',
    annotations: byInnerCa,
    expected: { status: 200, tls: { version: 'TLSv1.3', sni: 'secure.default.svc', client: null } },
  },
  {
    name: 'named',
    annotations: { ...byInnerCa, 'proxy-ssl-name': 'upstream.internal' },
    expected: { status: 200, tls: { sni: 'upstream.internal' } },
  },
  {
    name: 'nameless',
    annotations: { ...byInnerCa, 'proxy-ssl-server-name': 'off' },
    expected: { status: 200, tls: { sni: null } },
  },
  {
    name: 'certified',
    annotations: { 'proxy-ssl-secret': 'default/edge-client' },
    expected: { status: 200, tls: { client: 'edge', authorized: true } },
  },
  {
    name: 'old',
    annotations: {
      ...byInnerCa,
      'proxy-ssl-protocols': 'TLSv1.2',
      'proxy-ssl-ciphers': 'ECDHE-ECDSA-AES128-GCM-SHA256',
    },
    expected: { status: 200, tls: { version: 'TLSv1.2' } },
  },
  { name: 'deep', annotations: { ...byInnerCa, 'proxy-ssl-verify-depth': '3' }, expected: { status: 200 } },
  {
    name: 'unverified',
    annotations: { 'proxy-ssl-verify': 'off' },
    expected: { status: 200, tls: { version: 'TLSv1.3' } },
  },
  {
    name: 'misnamed',
    annotations: { ...byInnerCa, 'proxy-ssl-name': 'elsewhere.internal' },
    expected: { status: 502 },
  },
  { name: 'unknown-ca', annotations: {}, expected: { status: 502 } },
  { name: 'no-tls-there', annotations: byInnerCa, service: 'one', expected: { status: 502 } },
  {
    name: 'secret-missing',
    annotations: { 'proxy-ssl-secret': 'default/no-such-secret' },
    expected: { status: 503 },
  },
  {
    name: 'secret-without-ca',
    annotations: { 'proxy-ssl-secret': 'default/edge-alone' },
    expected: { status: 503 },
  },
  {
    name: 'ca-of-nothing',
    annotations: { 'proxy-ssl-secret': 'default/spoilt-ca' },
    expected: { status: 503 },
  },
  {
    name: 'verify-perhaps',
    annotations: { ...byInnerCa, 'proxy-ssl-verify': 'maybe' },
    expected: { status: 503 },
  },
  {
    name: 'version-unknown',
    annotations: { ...byInnerCa, 'proxy-ssl-protocols': 'SSLv3' },
    expected: { status: 503 },
  },
  {
    name: 'cipher-unknown',
    annotations: { ...byInnerCa, 'proxy-ssl-ciphers': 'ROT13' },
    expected: { status: 503 },
  },
  {
    name: 'foreign-secret',
    annotations: { 'proxy-ssl-secret': 'kube-system/inner-ca' },
    expected: { status: 503 },
  },
];

/** What speaks TLS with the upstream where the client does with the edge, beside an upstream that knows one way alone. */
const asClient = { secure: 'tls-auto-secure.example.com', plain: 'tls-auto-plain.example.com' };

const hostOf = ({ name }: Pick<Row, 'name'>): string => `tls-${name}.example.com`;

/** An Ingress of the API before v1, as CCE's document has them. */
function oldIngress(): KubeObject {
  const backend = { serviceName: 'secure', servicePort: upstreamAt.secure.port };
  return {
    apiVersion: 'networking.k8s.io/v1beta1',
    kind: 'Ingress',
    metadata: {
      name: 'tls-v1beta1',
      namespace: 'default',
      annotations: {
        'kubernetes.io/ingress.class': 'postern',
        ...nginx({ 'backend-protocol': 'HTTPS', ...byInnerCa }),
      },
    },
    spec: { rules: [{ host: 'tls-v1beta1.example.com', http: { paths: [{ path: '/', backend }] } }] },
  } as KubeObject;
}

export const upstreamTls: Chapter = {
  title: 'TLS to upstreams, edge.md section 2',

  async objects({ kind, clients }) {
    const leading = (ingress: Ingress, service = 'secure'): KubeObject => {
      const paths = ingress.spec?.rules?.[0]?.http?.paths ?? [];
      const port = service === 'secure' ? upstreamAt.secure.port : servicePort;
      for (const path of paths) path.backend = { service: { name: service, port: { number: port } } };
      return ingress;
    };
    const secured = (row: Row): KubeObject =>
      leading(
        site(hostOf(row), { annotations: nginx({ 'backend-protocol': 'HTTPS', ...row.annotations }) }),
        row.service,
      );
    const auto = { 'backend-protocol': 'AUTO_HTTP', 'ssl-redirect': 'false', ...byInnerCa };
    const alike = (host: string, service: string): KubeObject =>
      leading(site(host, { annotations: nginx(auto), tls: sitesSecret }), service);
    return [
      ...rows.map(secured),
      alike(asClient.secure, 'secure'),
      alike(asClient.plain, 'one'),
      ...(kind === 'current' ? [] : [oldIngress()]),
      pairSecret('edge-alone', await clients.issue({ commonName: 'edge alone' })),
      secret('spoilt-ca', { 'ca.crt': 'nonsense' }),
    ];
  },

  tests(world, kind) {
    it.each(rows.map(row => [row.name, JSON.stringify(row.annotations), row] as const))(
      'proxy-ssl: %s %s',
      async (_name, _annotations, row) => check(await world().ask(hostOf(row)), row.expected),
    );

    it('what cannot be honoured or verified never reaches an upstream, in plain text least of all', async () => {
      const { ask, upstreams } = world();
      await ask(hostOf({ name: 'verified' }));
      const before = upstreams.secure.connections();
      for (const row of rows.filter(({ expected }) => expected.status === 503)) {
        expect((await ask(hostOf(row), { method: 'POST', body: 'a secret' })).status).toBe(503);
      }
      expect(upstreams.secure.connections()).toBe(before);
    });

    it('AUTO_HTTP: TLS to the upstream for clients that came over TLS, and none for the others', async () => {
      const { ask, askTls } = world();
      check(await askTls(asClient.secure), { status: 200, tls: { sni: 'secure.default.svc' } });
      check(await ask(asClient.plain), { status: 200, upstream: 'one' });
      check(await askTls(asClient.plain), { status: 502 });
      check(await ask(asClient.secure), { status: 502 });
    });

    if (kind === 'current') return; // it has none any more
    it('Ingresses before v1 have backend-protocol too', async () => {
      check(await world().ask('tls-v1beta1.example.com'), {
        status: 200,
        tls: { sni: 'secure.default.svc' },
      });
    });
  },
};
