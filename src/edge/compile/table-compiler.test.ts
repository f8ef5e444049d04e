import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EndpointSlice } from '../../api/kubernetes/endpoint-slice.ts';
import type { Ingress, IngressTls } from '../../api/kubernetes/ingress.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import type { Service } from '../../api/kubernetes/service.ts';
import { http01SolverLabel } from '../../api/labels.ts';
import { makeAuthority, type TestCertificate } from '../certificates.testing.ts';
import { parseHost, wildcardFor } from '../match/host.ts';
import { sniEntryFor } from '../tls/sni-entry.ts';
import {
  anIngress,
  aSecret,
  aService,
  aSlice,
  aSnapshot,
  type Objects,
  type PathSpec,
  testNowMs,
} from './builders.testing.ts';
import type { Compilation } from './compile.ts';
import { compileTable } from './compile.ts';
import { describeTable } from './describe-table.ts';
import { sameValue } from './reuse.ts';
import { defaultCompileSettings } from './settings.ts';
import type { Changes } from './snapshot.ts';
import { TableCompiler } from './table-compiler.ts';

const nginx = 'nginx.ingress.kubernetes.io/';
const hosts = ['', 'a.com', 'www.a.com', 'b.a.com', '*.a.com', 'c.com'];
const services = ['web', 'api', 'gone', 'solver'];
const secrets = ['one', 'two', 'three'];

let certificates: readonly (TestCertificate & { readonly names: readonly string[] })[];

beforeAll(async () => {
  const authority = await makeAuthority('CA', testNowMs);
  const names = [['a.com'], ['*.a.com', 'c.com'], ['b.a.com', 'www.a.com']];
  certificates = await Promise.all(
    names.map(async (own, index) => ({
      names: own,
      ...(await authority.issue(own, { notAfterMs: testNowMs + (index - 1) * 86_400_000 })),
    })),
  );
});

const settings = { ...defaultCompileSettings };

/** One of the ways to write an Ingress that this test knows. */
interface IngressChoice {
  readonly age: number;
  readonly rules: Readonly<Record<string, readonly PathSpec[]>>;
  readonly tls: readonly IngressTls[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly fallback: boolean;
  readonly ours: boolean;
}

const path = fc.tuple(
  fc.constantFrom('/', '/x', '/x/', '/x/y', '/(bad', '', '/.well-known/acme-challenge/t'),
  fc.constantFrom('Exact' as const, 'Prefix' as const, 'ImplementationSpecific' as const),
  fc.constantFrom(...services),
);
const annotations = fc.constantFrom<Record<string, string>[]>(
  {},
  {},
  { [`${nginx}use-regex`]: 'true' },
  { [`${nginx}canary`]: 'true', [`${nginx}canary-weight`]: '10' },
  { [`${nginx}server-alias`]: 'c.com,d.com' },
  { [`${nginx}from-to-www-redirect`]: 'true' },
  { [`${nginx}backend-protocol`]: 'HTTPS', [`${nginx}proxy-ssl-secret`]: 'default/three' },
  { [`${nginx}auth-tls-secret`]: 'default/two' },
  { [`${nginx}service-upstream`]: 'true' },
  { [`${nginx}custom-http-errors`]: '404', [`${nginx}default-backend`]: 'api' },
  { [`${nginx}ssl-redirect`]: 'perhaps' },
  { 'kubernetes.io/ingress.class': 'nginx' },
);
const tls = fc.record({
  hosts: fc.subarray(hosts),
  secretName: fc.constantFrom(...secrets, undefined),
});
const ingress: fc.Arbitrary<IngressChoice> = fc.record({
  age: fc.integer({ min: 0, max: 3 }),
  rules: fc.dictionary(fc.constantFrom(...hosts), fc.array(path, { maxLength: 3 }), { maxKeys: 2 }),
  tls: fc.array(tls, { maxLength: 2 }),
  annotations,
  fallback: fc.boolean(),
  ours: fc.boolean(),
});

type Step =
  | { readonly kind: 'ingress'; readonly name: string; readonly ingress: IngressChoice | undefined }
  | { readonly kind: 'service'; readonly name: string; readonly spec: Service['spec'] | undefined }
  | { readonly kind: 'slice'; readonly name: string; readonly addresses: readonly string[] | undefined }
  | { readonly kind: 'secret'; readonly name: string; readonly certificate: number | undefined }
  | { readonly kind: 'class'; readonly ours: boolean }
  | { readonly kind: 'time'; readonly days: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ingress' as const),
      name: fc.constantFrom('i', 'j', 'k', 'l'),
      ingress: fc.option(ingress, { nil: undefined, freq: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('service' as const),
      name: fc.constantFrom('web', 'api', 'solver'),
      spec: fc.constantFrom<(Service['spec'] | undefined)[]>(
        undefined,
        {},
        { ports: [{ port: 81 }] },
        { type: 'ExternalName', externalName: 'example.org', ports: undefined },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('slice' as const),
      name: fc.constantFrom('web', 'api'),
      addresses: fc.option(fc.subarray(['10.1.0.1', '10.1.0.2', '127.0.0.1']), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('secret' as const),
      name: fc.constantFrom(...secrets),
      certificate: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('class' as const), ours: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('time' as const), days: fc.integer({ min: -2, max: 2 }) }),
  },
);

/** Objects that change, and what changed since the last look. */
class World {
  readonly ingresses = new Map<string, Ingress>();
  readonly services = new Map<string, Service>();
  readonly slices = new Map<string, EndpointSlice>();
  readonly secrets = new Map<string, Secret>();
  changes = { secrets: new Set<string>(), services: new Set<string>() };
  nowMs = testNowMs;
  /** Whose the class `other` is. */
  controller = 'example.com/other';

  apply(change: Step): void {
    if (change.kind === 'time') {
      this.nowMs = testNowMs + change.days * 86_400_000;
      return;
    }
    if (change.kind === 'class') {
      this.controller = change.ours ? settings.controllerName : 'example.com/other';
      return;
    }
    const { name } = change;
    if (change.kind === 'ingress')
      return put(this.ingresses, name, change.ingress && ingressOf(name, change.ingress));
    if (change.kind === 'secret') {
      this.changes.secrets.add(`default/${name}`);
      return put(
        this.secrets,
        name,
        change.certificate === undefined ? undefined : secretOf(name, change.certificate),
      );
    }
    this.changes.services.add(`default/${name}`);
    if (change.kind === 'service')
      return put(this.services, name, change.spec && serviceOf(name, change.spec));
    const endpoints = change.addresses?.map(address => ({ addresses: [address] }));
    put(this.slices, name, endpoints && aSlice(name, endpoints));
  }

  objects(): Objects {
    return {
      ingresses: [...this.ingresses.values()],
      ingressClasses: [{ metadata: { name: 'other' }, spec: { controller: this.controller } }],
      services: [...this.services.values()],
      endpointSlices: [...this.slices.values()],
      secrets: [...this.secrets.values()],
    };
  }

  takeChanges(): Changes {
    const { changes } = this;
    this.changes = { secrets: new Set(), services: new Set() };
    return changes;
  }
}

function put<T>(map: Map<string, T>, name: string, value: T | undefined): void {
  if (value === undefined) map.delete(name);
  else map.set(name, value);
}

function ingressOf(name: string, choice: IngressChoice): Ingress {
  return anIngress({
    name,
    createdAt: choice.age,
    rules: choice.rules,
    tls: [...choice.tls],
    annotations: { ...choice.annotations },
    spec: {
      ingressClassName: choice.ours ? 'postern' : 'other',
      ...(choice.fallback ? { defaultBackend: { service: { name: 'api', port: { number: 80 } } } } : {}),
    },
  });
}

function serviceOf(name: string, spec: Service['spec']): Service {
  const service = aService(name, spec);
  if (name !== 'solver') return service;
  return { ...service, metadata: { ...service.metadata, labels: { [http01SolverLabel]: 'true' } } };
}

/** From 3 on there is no certificate in it. */
function secretOf(name: string, certificate: number): Secret {
  const { chain, key } = certificates[certificate] ?? { chain: 'nonsense', key: '' };
  return aSecret(name, { 'tls.crt': chain, 'tls.key': key, 'ca.crt': chain });
}

function sentences({ findings }: Compilation): string[] {
  return findings.map(({ object, reason, message }) => `${object.metadata.name ?? ''} ${reason}: ${message}`);
}

describe('compiling again', () => {
  it('gives what a compilation from nothing gives, and what is the same stays the same object', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(3)), { minLength: 1, maxLength: 25 }), steps => {
        const world = new World();
        const compiler = new TableCompiler(settings);
        let before: Compilation | undefined;
        for (const [change, how] of steps) {
          world.apply(change);
          const snapshot = aSnapshot(world.objects());
          // Several changes at once; all looked at without being named; prepared or not.
          if (how === 0) continue;
          if (how === 1) compiler.advance(snapshot, 0);
          const changes = world.takeChanges();
          const after = compiler.compile(snapshot, world.nowMs, how === 2 ? changes : undefined);
          const scratch = compileTable(snapshot, settings, world.nowMs);
          expect(describeTable(after.table)).toEqual(describeTable(scratch.table));
          expect(sameValue(after.table, scratch.table)).toBe(true);
          expect(sentences(after)).toEqual(sentences(scratch));
          expect(after.nextExpiryMs).toBe(scratch.nextExpiryMs);
          expect(after.references).toEqual(scratch.references);
          for (const part of ['hosts', 'solvers', 'sni', 'backends'] as const) {
            for (const [key, value] of after.table[part]) {
              const earlier = before?.table[part].get(key);
              if (earlier !== undefined && sameValue(earlier, value)) expect(value).toBe(earlier);
            }
          }
          before = after;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('changes nothing but the backend where endpoints change', () => {
    const ingresses = [anIngress({ rules: { 'a.com': [['/', 'Prefix']] } })];
    const compiler = new TableCompiler(settings);
    const tableWith = (address: string) =>
      compiler.compile(
        aSnapshot({
          ingresses,
          services: [web],
          endpointSlices: [aSlice('web', [{ addresses: [address] }])],
        }),
        testNowMs,
      ).table;
    const web = aService();
    const before = tableWith('10.1.0.1');
    const after = tableWith('10.1.0.2');
    expect(after.backends).not.toBe(before.backends);
    expect({ ...after, backends: 0 }).toEqual({ ...before, backends: 0 });
    expect([after.hosts, after.sni, after.tlsHosts]).toEqual([before.hosts, before.sni, before.tlsHosts]);
    expect(after.hosts).toBe(before.hosts);
  });

  it('gives the same table where only a status changed', () => {
    const ingress = anIngress({
      rules: { 'a.com': [['/', 'Prefix']] },
      annotations: { [`${nginx}use-regex`]: 'true' },
    });
    const compiler = new TableCompiler(settings);
    const { table } = compiler.compile(aSnapshot({ ingresses: [ingress] }), testNowMs);
    const told = { ...ingress, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } };
    expect(compiler.compile(aSnapshot({ ingresses: [told] }), testNowMs).table).toBe(table);
  });
});

describe('a naive model of certificates', () => {
  /** The Secret that a name is served with, or `default`: the rules of edge.md, statements 6 and 16, written down plainly. */
  function naive(world: World, name: string): string {
    const usable = (secretName: string | undefined): readonly string[] | undefined => {
      const secret = world.secrets.get(secretName ?? '');
      return certificates.find(
        ({ chain }) => Buffer.from(chain).toString('base64') === secret?.data?.['tls.crt'],
      )?.names;
    };
    const served = [...world.ingresses.values()]
      .filter(
        ({ metadata, spec }) =>
          (metadata.annotations?.['kubernetes.io/ingress.class'] ?? spec?.ingressClassName) === 'postern',
      )
      .filter(({ metadata }) => metadata.annotations?.[`${nginx}canary`] === undefined)
      .toSorted((a, b) => {
        const [x, y] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.name}`);
        return (x ?? '') < (y ?? '') ? -1 : 1;
      });
    const entries = served.flatMap(({ spec }) => spec?.tls ?? []);
    const hostless = (ingresses: readonly Ingress[]) =>
      ingresses.flatMap(one =>
        (one.spec?.tls ?? [])
          .filter(({ hosts: own }) => !own?.some(host => host !== ''))
          .map(({ secretName }) => ({ ingress: one, secretName, names: usable(secretName) ?? [] })),
      );
    for (const key of [name, wildcardFor(name) ?? name]) {
      const explicit = entries.find(
        ({ hosts: own, secretName }) => secretName !== undefined && own?.includes(key),
      );
      if (explicit !== undefined) {
        const names = usable(explicit.secretName) ?? [];
        const fits = names.includes(key) || names.includes(wildcardFor(key) ?? '');
        return fits ? `default/${explicit.secretName}` : 'default';
      }
      // Without hosts: those of the Ingress's own rules, as far as the certificate is for them.
      const byRules = hostless(served).find(
        ({ ingress: { spec }, names }) =>
          spec?.rules?.some(({ host }) => host === key) &&
          (names.includes(key) || names.includes(wildcardFor(key) ?? '')),
      );
      if (byRules !== undefined) return `default/${byRules.secretName}`;
    }
    // What nobody names, neither in a rule nor for TLS, can be served by whoever takes every host.
    const keys = [name, wildcardFor(name) ?? name];
    const named = served.some(({ spec }) =>
      [
        ...(spec?.rules ?? []).map(({ host }) => host),
        ...(spec?.tls ?? []).flatMap(one => one.hosts ?? []),
      ].some(host => keys.includes(host ?? '')),
    );
    if (named) return 'default';
    for (const key of keys) {
      const spare = hostless(served).find(
        ({ ingress: { spec }, names }) =>
          names.includes(key) &&
          (spec?.defaultBackend !== undefined ||
            spec?.rules?.some(({ host }) => host === undefined || host === '')),
      );
      if (spare !== undefined) return `default/${spare.secretName}`;
    }
    return 'default';
  }

  it('chooses what the table chooses: never a certificate for another name, never that of the wrong Ingress', () => {
    const ingressStep = fc.record({
      kind: fc.constant('ingress' as const),
      name: fc.constantFrom('i', 'j', 'k', 'l'),
      ingress: ingress.map(choice => ({ ...choice, annotations: {} })),
    });
    const secretStep = fc.record({
      kind: fc.constant('secret' as const),
      name: fc.constantFrom(...secrets),
      certificate: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(ingressStep, secretStep), { minLength: 3, maxLength: 12 }), steps => {
        const world = new World();
        for (const one of steps) world.apply(one);
        const { table } = compileTable(aSnapshot(world.objects()), settings, testNowMs);
        for (const name of ['a.com', 'www.a.com', 'b.a.com', 'x.a.com', 'c.com', 'x.b.a.com', 'd.com']) {
          const entry = sniEntryFor(table, parseHost(name)?.name ?? '');
          const found = entry?.kind === 'certificate' ? entry.certificate.secret : 'default';
          expect(`${name} ${found}`).toBe(`${name} ${naive(world, name)}`);
        }
      }),
      { numRuns: 500 },
    );
  });
});
