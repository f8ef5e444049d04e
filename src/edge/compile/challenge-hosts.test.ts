import { beforeAll, describe, expect, it } from 'vitest';
import { bareRulesAnnotation } from '../../api/acme/bare-rules.ts';
import { http01SolverLabel } from '../../api/labels.ts';
import { makeAuthority, type TestAuthority, type TestCertificate } from '../certificates.testing.ts';
import { findRoute } from '../match/find-route.ts';
import { parseHost } from '../match/host.ts';
import { hasTls } from '../policy/https-redirect.ts';
import { sniEntryFor } from '../tls/sni-entry.ts';
import { tlsProfileFor } from '../tls/tls-profile.ts';
import {
  anIngress,
  aSecret,
  aService,
  aSlice,
  compileObjects,
  type IngressOptions,
  testNowMs,
} from './builders.testing.ts';
import type { Compilation } from './compile.ts';
import type { Route, RoutingTable } from './table.ts';

const name = 'shop.example.com';
const token = '/.well-known/acme-challenge/token';
const solver = aService('solver');
let authority: TestAuthority;
let certificate: TestCertificate;

beforeAll(async () => {
  authority = await makeAuthority('CA', testNowMs);
  certificate = await authority.issue([name]);
});

function compiled(...options: IngressOptions[]): Compilation {
  const labelled = { ...solver, metadata: { ...solver.metadata, labels: { [http01SolverLabel]: 'true' } } };
  return compileObjects({
    ingresses: options.map(anIngress),
    services: [aService(), labelled],
    endpointSlices: [aSlice(), aSlice('solver')],
    secrets: [
      aSecret('shop-tls', { 'tls.crt': certificate.chain, 'tls.key': certificate.key }),
      aSecret('clients', { 'ca.crt': authority.certificate }),
    ],
  });
}

function routeFor(table: RoutingTable, host: string, path: string): Route | undefined {
  const parsed = parseHost(host);
  return parsed && findRoute(table, parsed, path);
}

/** What becomes of a request that is no authority's, and of the handshake before it. */
function served({ table, findings }: Compilation, host = name): unknown {
  const route = routeFor(table, host, '/index.html');
  const parsed = parseHost(host);
  return {
    route,
    overHttps: parsed && hasTls(table, route?.policy.redirect, parsed),
    sni: sniEntryFor(table, host),
    profile: tlsProfileFor(table, host)?.id,
    findings: findings.map(({ reason, message }) => `${reason}: ${message}`),
  };
}

const tls = [{ hosts: [name], secretName: 'shop-tls' }];
const rule = [['/', 'Prefix']] as const;
const challenge = [[token, 'Exact', 'solver']] as const;
const clients = { 'nginx.ingress.kubernetes.io/auth-tls-secret': 'default/clients' };
const aliases = { 'nginx.ingress.kubernetes.io/server-alias': name };
const patterns = { 'nginx.ingress.kubernetes.io/use-regex': 'true' };
const fallback = { defaultBackend: { service: { name: 'web', port: { number: 80 } } } };

describe('a challenge for a host that has no other rule takes its own path, and nothing else changes', () => {
  const sites: [string, IngressOptions, IngressOptions[]?][] = [
    ['a rule without a host', { rules: { '': rule }, tls }],
    ['a wildcard', { rules: { '*.example.com': rule }, tls }],
    ['a default backend', { spec: fallback, tls }],
    ['no rule at all', { rules: { 'other.test': rule }, tls }],
    ['another name of a host', { rules: { 'other.test': rule }, annotations: aliases, tls }],
    [
      'a wildcard that asks for client certificates',
      { rules: { '*.example.com': rule }, annotations: clients, tls },
    ],
    ['a certificate of no named host', { rules: { '': rule }, tls: [{ secretName: 'shop-tls' }] }],
    [
      'the default backend of an older Ingress',
      { spec: fallback, tls },
      [
        {
          name: 'older',
          createdAt: -9,
          spec: { defaultBackend: { service: { name: 'api', port: { number: 80 } } } },
        },
      ],
    ],
    [
      'a rule of another Ingress, whose paths are no patterns',
      { rules: { '': rule }, annotations: { ...clients, ...patterns }, tls, createdAt: -9 },
      [
        {
          name: 'other',
          rules: {
            [name]: [
              ['/index.htm[l]', 'Prefix'],
              ['/index.html', 'Prefix'],
            ],
          },
        },
      ],
    ],
  ];

  it.each(sites)('where the host is served by %s', (_what, site, others = []) => {
    const without = served(compiled(site, ...others));
    const temporary = compiled(site, ...others, {
      name: 'temporary',
      rules: { [name]: challenge },
      createdAt: 5,
    });
    const inPlace = compiled({ ...site, rules: { ...site.rules, [name]: challenge } }, ...others);
    for (const compilation of [temporary, inPlace]) {
      expect(served(compilation)).toEqual(without);
      expect(routeFor(compilation.table, name, token)?.backend).toBe('default/solver:80');
    }
  });

  it('where an address is solved, whose rule has no host', () => {
    const older = { name: 'older', createdAt: -9, spec: fallback };
    const site = { rules: { 'other.test': rule }, spec: fallback };
    const inPlace = compiled(older, { ...site, rules: { ...site.rules, '': challenge } });
    expect(served(inPlace, '192.0.2.1')).toEqual(served(compiled(older, site), '192.0.2.1'));
    expect(routeFor(inPlace.table, '192.0.2.1', token)?.backend).toBe('default/solver:80');
  });
});

describe('a host of the site', () => {
  it('whose rule had no paths before the challenge stays a host: nothing goes on to the wildcard', () => {
    const site = { rules: { [name]: challenge, '*.example.com': rule } };
    const bare = { ...site, annotations: { [bareRulesAnnotation]: JSON.stringify([name]) } };
    expect(routeFor(compiled(bare).table, name, '/index.html')).toBeUndefined();
    expect(routeFor(compiled(site).table, name, '/index.html')?.host).toBe('*.example.com');
  });

  it('that has one path beside the challenge stays a host', () => {
    const site = { rules: { [name]: [...challenge, ['/a', 'Prefix']] as const, '': rule } };
    const { table } = compiled(site);
    expect([...table.hosts.keys(), ...table.solvers.keys()].sort()).toEqual(['', name]);
    expect(routeFor(table, name, '/index.html')).toBeUndefined();
  });

  it('is one whose path leads to a Service that is no solver', () => {
    const { table } = compiled({ rules: { [name]: [[token, 'Exact']], '': rule } });
    expect(table.solvers.size).toBe(0);
    expect(routeFor(table, name, '/index.html')).toBeUndefined();
  });
});
