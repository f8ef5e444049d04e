import { expect, it } from 'vitest';
import { type Ingress, ingresses } from '../../src/api/kubernetes/ingress.ts';
import { rows, sites } from './ingress-table.ts';
import { backend, type PathSpec, pairSecret, secret, service, serviceAt, site, slice } from './objects.ts';
import { valuesOf } from './reporting-upstream.ts';
import { type Chapter, clientAddress, sitesSecret, upstreamAt } from './world.ts';

const elsewhere = { ingressClassName: 'elsewhere' };
const classAnnotation = 'kubernetes.io/ingress.class';

/** CCE's modes: on API servers by the annotation alone, which keeps what they would drop. */
function matched(isCluster: boolean): Ingress {
  const modes = { '/starts': 'STARTS_WITH', '/equal': 'EQUAL_TO', '/regex/[0-9]+': 'REGEX' };
  const to = ['one', 'two', 'three'];
  const host = 'matched.example.com';
  const property = Object.entries(modes).map(([path, matchmode]) => ({ host, path, matchmode }));
  const ingress = site(
    host,
    isCluster ? { annotations: { 'kubernetes.io/ingress.property': JSON.stringify(property) } } : {},
  );
  const rule = ingress.spec?.rules?.[0];
  if (rule?.http === undefined) throw new Error('no rule');
  rule.http.paths = Object.entries(modes).map(([path, mode], at) => ({
    path,
    pathType: 'ImplementationSpecific',
    backend: backend(to[at] ?? ''),
    ...(!isCluster && { property: { 'ingress.beta.kubernetes.io/url-match-mode': mode } }),
  }));
  return ingress;
}

export const ingressRules: Chapter = {
  title: 'Ingress, edge.md section 1',

  async objects({ kind, sites: authority }) {
    const own = await authority.issue({ commonName: 'own', dnsNames: ['own.example.com'] });
    const byNames = await authority.issue({ commonName: 'by-names', dnsNames: ['named.example.net'] });
    const plain = (host: string, paths: readonly PathSpec[]) => site(host, { paths });
    return [
      ...sites.map(([host, paths, name]) => site(host, { paths, ...(name !== undefined && { name }) })),
      site('', { name: 'hostless', paths: [['/hostless', 'Prefix', 'three']] }),
      matched(kind !== 'standalone'),
      plain('resource.example.com', [['/well', 'Prefix']]),
      ...ofResource(),
      ...ports(),
      plain('broken.example.com', [
        ['/missing', 'Prefix', 'no-such-service'],
        ['/empty', 'Prefix', 'empty'],
        ['/well', 'Prefix'],
      ]),
      site('broken.example.com', { name: 'wrong-port', spec: wrongPort() }),
      ...headless(),
      ...conditions(),
      site('classed.example.com'),
      site('unknown-class.example.com', { spec: elsewhere }),
      site('classless.example.com', { spec: { ingressClassName: undefined } }),
      site('by-annotation.example.com', {
        annotations: { [classAnnotation]: 'postern' },
        spec: { ingressClassName: undefined },
      }),
      site('legacy-class.example.com', {
        annotations: { [classAnnotation]: 'nginx' },
        spec: { ingressClassName: undefined },
      }),
      // 15 and 16.
      site('first.example.com', { tls: sitesSecret }),
      site('own.example.com', { tls: 'own-tls', service: 'two' }),
      pairSecret('own-tls', own),
      site('named.example.net', { name: 'named', spec: { tls: [{ secretName: 'by-names' }] } }),
      pairSecret('by-names', byNames),
      site('secretless.example.com', { spec: { tls: [{ hosts: ['secretless.example.com'] }] } }),
      site('lost.example.org', { tls: 'no-such-secret' }),
      site('spoilt.example.org', { tls: 'spoilt' }),
      secret('spoilt', { 'tls.crt': 'nonsense', 'tls.key': 'nonsense' }, 'kubernetes.io/tls'),
      // 6: these are the older ones.
      site('contested.example.com', { name: 'z-older', tls: sitesSecret }),
    ];
  },

  tests(world, kind) {
    it.each(rows)('statement %s: %s%s gets %s', async (_statement, host, path, expected) => {
      const answer = await world().ask(host, { path });
      expect(answer.status === 200 ? answer.seen().upstream : answer.status).toBe(expected);
    });

    it('statement 4: a request of HTTP/1.0 without Host reaches rules without a host', async () => {
      const { connect } = await import('node:net');
      const text = await new Promise<string>((resolve, reject) => {
        const socket = connect(80, '10.77.0.10', () => socket.write('GET /hostless HTTP/1.0\r\n\r\n'));
        let got = '';
        socket.setEncoding('latin1').on('data', (chunk: string) => {
          got += chunk;
        });
        socket.on('error', reject).on('close', () => resolve(got));
      });
      expect(text).toMatch(/^HTTP\/1\.[01] 200 /);
      expect(text).toContain('"upstream":"three"');
    });

    it('statement 6: of two for the same host, path and type the older one wins, and the loser is told', async () => {
      const { bed, ask, askTls, sites: authority } = world();
      const { metadata } = await bed.find(ingresses, 'z-older');
      const bornAt = Date.parse(metadata.creationTimestamp ?? '');
      await bed.eventually('its second is over', async () => Date.now() >= bornAt + 1_000);
      const younger = await authority.issue({ commonName: 'younger', dnsNames: ['contested.example.com'] });
      const loser = site('contested.example.com', {
        name: 'a-younger',
        tls: 'younger',
        service: 'two',
        paths: [
          ['/', 'Prefix'],
          ['/more', 'Prefix'],
        ],
      });
      await bed.apply(pairSecret('younger', younger), loser);
      await bed.eventually(
        'merged by host',
        async () =>
          (await askTls('contested.example.com', { path: '/more' })).status === 200 &&
          (await askTls('contested.example.com', { path: '/more' })).seen().upstream === 'two',
      );
      const answer = await askTls('contested.example.com');
      expect(answer.seen().upstream).toBe('one');
      expect(answer.certificate?.subject.CN).toBe('sites');
      expect((await ask('contested.example.com')).status).toBe(308);
      const reasons = await bed.eventually('the loser has two events', async () => {
        const found = (await bed.warnings()).filter(
          ({ involvedObject }) => involvedObject.name === 'a-younger',
        );
        return found.length === 2 && found;
      });
      expect(reasons.map(({ reason }) => reason)).toEqual(
        expect.arrayContaining(['PathConflict', 'TLSConflict']),
      );
      for (const { message } of reasons) expect(message).toContain('z-older');
    });

    it('statement 8: defaultBackend takes what no rule matches, and without rules everything', async () => {
      const { bed, ask } = world();
      const spec = { ingressClassName: 'postern', defaultBackend: backend('two') };
      const beside = site('fallback.example.com', { paths: [['/own', 'Prefix', 'three']], spec });
      const alone: Ingress = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'everything', namespace: 'default' },
        spec,
      };
      for (const ingress of [beside, alone]) {
        await bed.apply(ingress);
        await bed.eventually('it is served', async () => (await ask('nobody.example.org')).status === 200);
        expect((await ask('nobody.example.org')).seen().upstream).toBe('two');
        expect((await ask('table.example.com')).seen().upstream).toBe('one');
        if (ingress === beside) {
          expect((await ask('fallback.example.com', { path: '/own' })).seen().upstream).toBe('three');
          expect((await ask('fallback.example.com', { path: '/other' })).seen().upstream).toBe('two');
        }
        await bed.remove(ingress);
        await bed.eventually('it is gone', async () => (await ask('nobody.example.org')).status === 404);
      }
    });

    it('statement 12: ExternalName never leads to loopback, by the resolved address too, but in standalone mode', async () => {
      const expected = kind === 'standalone' ? 502 : 503; // nobody listens there
      expect((await world().ask('loopback.example.com')).status).toBe(expected);
      expect((await world().ask('localname.example.com')).status).toBe(expected);
      expect((await world().ask('outside.example.com')).seen().upstream).toBe('two');
    });

    it('statement 14: the default class takes Ingresses without one', async () => {
      const { bed, ask } = world();
      const defaultClass = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: {
          name: 'by-default',
          annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' },
        },
        spec: { controller: 'postern.dev/ingress' },
      };
      const defaulted = site('defaulted.example.com', { spec: { ingressClassName: undefined } });
      await bed.apply(defaultClass);
      // The API server's own admission fills it in, from a cache that may be a moment late.
      await bed.eventually('it has a class', async () => {
        await bed.apply(defaulted);
        if (kind === 'standalone') return true;
        if ((await bed.find(ingresses, 'defaulted')).spec?.ingressClassName === 'by-default') return true;
        await bed.remove(defaulted);
        return false;
      });
      await bed.eventually('it is served', async () => (await ask('defaulted.example.com')).status === 200);
      await bed.remove(defaulted);
      await bed.remove(defaultClass);
      await bed.eventually('it is gone', async () => (await ask('defaulted.example.com')).status === 404);
    });

    it('statement 15: SNI picks the certificate, Host picks the route', async () => {
      const answer = await world().askTls('own.example.com', {}, { sni: 'first.example.com' });
      expect(answer.seen().upstream).toBe('two');
      expect(answer.certificate?.subject.CN).toBe('sites');
    });

    it.each([
      ['the exact name', 'own.example.com', 'own'],
      ['then one-label wildcards', 'first.example.com', 'sites'],
      ['tls without hosts counts where the names match', 'named.example.net', 'by-names'],
    ])('statement 16: %s', async (_what, host, commonName) => {
      const answer = await world().askTls(host);
      expect(answer.certificate?.subject.CN).toBe(commonName);
      expect(answer.status).toBe(200);
    });

    it.each(['lost.example.org', 'spoilt.example.org', 'never.heard.of'])(
      'statement 16: %s gets the default certificate, which nobody trusts',
      async host => {
        await expect(world().askTls(host)).rejects.toMatchObject({
          code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/),
        });
      },
    );

    it('statement 17: the address is in the status of own Ingresses alone', async () => {
      const { bed } = world();
      const published = await bed.eventually('it is published', async () => {
        const { status } = await bed.find(ingresses, 'classed');
        return status?.loadBalancer?.ingress;
      });
      expect(published).toEqual([{ hostname: 'edge.example.com' }, { ip: '192.0.2.1' }]);
      expect((await bed.find(ingresses, 'unknown-class')).status?.loadBalancer?.ingress).toBeUndefined();
    });

    it('upstreams are told of the client, whatever the client says of itself', async () => {
      const seen = (
        await world().ask('classed.example.com', {
          from: clientAddress,
          headers: {
            'x-forwarded-for': '203.0.113.9',
            'x-real-ip': '203.0.113.9',
            forwarded: 'for=203.0.113.9',
            'x-forwarded-proto': 'https',
            x_forwarded_for: '203.0.113.9',
          },
        })
      ).seen();
      expect(valuesOf(seen, 'x-forwarded-for')).toEqual([clientAddress]);
      expect(valuesOf(seen, 'x-real-ip')).toEqual([clientAddress]);
      expect(valuesOf(seen, 'x-forwarded-proto')).toEqual(['http']);
      expect(valuesOf(seen, 'forwarded')).toEqual([
        `for=${clientAddress};host=classed.example.com;proto=http`,
      ]);
      expect(valuesOf(seen, 'x_forwarded_for')).toEqual([]);
    });

    if (kind === 'standalone') return; // manifests that have both are refused, as API servers do with new ones
    it('statement 14: the annotation takes precedence over the field, and that they differ is told', async () => {
      const { bed, ask } = world();
      const host = 'annotation-first.example.com';
      await bed.apply(site(host));
      await bed.eventually('it is served', async () => (await ask(host)).status === 200);
      const patch = { metadata: { annotations: { [classAnnotation]: 'elsewhere' } } };
      await bed.api?.mergePatch(ingresses, { namespace: 'default', name: 'annotation-first' }, patch);
      await bed.eventually('it is not ours any more', async () => (await ask(host)).status === 404);
      const warning = await bed.eventually('it is told', async () =>
        (await bed.warnings()).find(({ involvedObject }) => involvedObject.name === 'annotation-first'),
      );
      expect(warning.reason).toBe('IngressClassConflict');
    });
  },
};

function ofResource() {
  const resource = { apiGroup: 'example.com', kind: 'Bucket', name: 'files' };
  const paths = [{ path: '/', pathType: 'Prefix' as const, backend: { resource } }];
  return [
    site('resource.example.com', {
      name: 'of-resource',
      spec: { rules: [{ host: 'resource.example.com', http: { paths } }] },
    }),
  ];
}

function wrongPort() {
  const paths = [{ path: '/wrong-port', pathType: 'Prefix' as const, backend: backend('one', 81) }];
  return { rules: [{ host: 'broken.example.com', http: { paths } }] };
}

/** A Service of two ports whose slices have other numbers, and the names to find them by. */
function ports() {
  const named = [
    { name: 'first', port: 1_000, targetPort: 8080 },
    { name: 'second', port: 2_000, targetPort: 8080 },
  ];
  const paths = [
    { path: '/by-name', pathType: 'Prefix' as const, backend: backend('ports', 'first') },
    { path: '/by-number', pathType: 'Prefix' as const, backend: backend('ports', 2_000) },
  ];
  return [
    service('ports', { ports: named }),
    slice('ports', [{ addresses: [upstreamAt.one] }], 8080, { name: 'ports-1', portName: 'first' }),
    slice('ports', [{ addresses: [upstreamAt.two] }], 8080, { name: 'ports-2', portName: 'second' }),
    site('ports.example.com', { spec: { rules: [{ host: 'ports.example.com', http: { paths } }] } }),
  ];
}

function headless() {
  const [, endpoints] = serviceAt('headless', 8080, upstreamAt.two);
  return [
    service('headless', { clusterIP: 'None' }),
    endpoints,
    site('headless.example.com', { service: 'headless' }),
    service('loopback', { type: 'ExternalName', externalName: '127.0.0.1', ports: [{ port: 8080 }] }),
    service('localname', { type: 'ExternalName', externalName: 'localhost', ports: [{ port: 8080 }] }),
    service('outside', { type: 'ExternalName', externalName: upstreamAt.two, ports: [{ port: 8080 }] }),
    site('outside.example.com', { service: 'outside' }),
    site('loopback.example.com', { service: 'loopback' }),
    site('localname.example.com', { service: 'localname' }),
  ];
}

function conditions() {
  const at = (address: string, ready?: boolean) => ({
    addresses: [address],
    ...(ready !== undefined && { conditions: { ready } }),
  });
  return [
    service('unknown-ready'),
    slice('unknown-ready', [at(upstreamAt.one)]),
    service('not-ready'),
    slice('not-ready', [at(upstreamAt.dead, false), at(upstreamAt.two, true)]),
    site('conditions.example.com', {
      paths: [
        ['/null', 'Prefix', 'unknown-ready'],
        ['/false', 'Prefix', 'not-ready'],
      ],
    }),
  ];
}
