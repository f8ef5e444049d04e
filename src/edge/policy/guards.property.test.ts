import { hashSync } from 'bcryptjs';
import * as fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { PrivateMaterial } from '../compile/private-material.ts';
import { emptyTable, type Route, type RoutingTable } from '../compile/table.ts';
import { decide } from './decide.ts';
import { createDecideContext } from './decide-context.ts';
import { aClientCertificate, aHead } from './heads.testing.ts';
import { defaultPolicySettings } from './policy-settings.ts';
import { plainPolicy, type RoutePolicy } from './route-policy.ts';

const context = createDecideContext(defaultPolicySettings);
afterAll(() => context.passwords.close());
const hash = new PrivateMaterial(hashSync('secret', 4));

/** What a route asks for, and what a request has to show for it. */
const world = fc.record({
  refused: fc.boolean(),
  ranges: fc.constantFrom('none', 'allow', 'deny', 'both'),
  from: fc.constantFrom('10.0.0.1', '10.9.0.1', '192.0.2.1'),
  password: fc.boolean(),
  shown: fc.constantFrom('nothing', 'right', 'wrong'),
  external: fc.boolean(),
  any: fc.boolean(),
  certificate: fc.constantFrom(undefined, 'on', 'optional', 'optional_no_ca'),
  verified: fc.constantFrom(
    'SUCCESS',
    'NONE',
    'FAILED:certificate has expired',
    'FAILED:self-signed certificate',
  ),
  judgedBy: fc.constantFrom('p1', 'p2'),
  secure: fc.boolean(),
  tooLong: fc.boolean(),
  cors: fc.boolean(),
  rewritten: fc.boolean(),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function tableFor(one: World): RoutingTable {
  const policy: RoutePolicy = {
    ...plainPolicy,
    redirect: { ...plainPolicy.redirect, ssl: false },
    refusal: one.refused ? 'no' : undefined,
    sourceRanges:
      one.ranges === 'none'
        ? undefined
        : {
            allow: one.ranges === 'deny' ? [] : ['10.0.0.0/8'],
            deny: one.ranges === 'allow' ? [] : ['10.9.0.0/16'],
          },
    satisfy: one.any ? 'any' : 'all',
    basicAuth: one.password ? { realm: 'x', users: new Map([['ann', hash]]) } : undefined,
    externalAuth: one.external
      ? {
          url: 'http://a/',
          method: undefined,
          signIn: undefined,
          signInRedirectParameter: 'rd',
          responseHeaders: [],
          alwaysSetCookie: false,
          requestRedirect: undefined,
          timeoutMs: 1,
        }
      : undefined,
    clientCertificate:
      one.certificate === undefined
        ? undefined
        : {
            id: 'p1',
            mode: one.certificate,
            ca: '',
            crl: undefined,
            depth: 1,
            passToUpstream: true,
            errorPage: undefined,
            commonName: undefined,
          },
    limits: { ...plainPolicy.limits, bodyBytes: 10 },
    cors: one.cors
      ? {
          origins: ['*'],
          methods: 'GET',
          headers: 'X',
          exposeHeaders: undefined,
          credentials: true,
          maxAgeSeconds: 1,
        }
      : undefined,
    rewrite: one.rewritten ? { kind: 'pattern', target: '/x' } : undefined,
  };
  const source = { kind: 'Ingress', namespace: 'default', name: 'site' } as const;
  const route: Route = {
    source,
    host: 'foo.com',
    path: '/',
    kind: 'Prefix',
    policy,
    backend: 'b',
    alternatives: [],
  };
  const endpoints = [{ address: '10.1.0.1', port: 80 }];
  return {
    ...emptyTable,
    hosts: new Map([
      [
        'foo.com',
        {
          host: 'foo.com',
          exact: new Map(),
          root: route,
          prefixes: new Map(),
          deepestPrefix: 0,
          patterns: [],
          fallback: undefined,
        },
      ],
    ]),
    backends: new Map([['b', { kind: 'endpoints', key: 'b', endpoints, protocol: 'http1', tls: undefined }]]),
  };
}

/** The rules, written down naively: whether it may reach the upstream, and whether another service has to say so first. */
function model(one: World): 'denied' | 'forward' | 'ask' {
  const inside =
    one.ranges === 'none' ||
    ((one.ranges === 'deny' || one.from !== '192.0.2.1') &&
      (one.ranges === 'allow' || one.from !== '10.9.0.1'));
  const certified =
    one.certificate === undefined ||
    (one.secure &&
      one.judgedBy === 'p1' &&
      (one.verified === 'SUCCESS' ||
        (one.verified === 'NONE' && one.certificate !== 'on') ||
        (one.verified === 'FAILED:self-signed certificate' && one.certificate === 'optional_no_ca')));
  if (one.refused || !certified || one.tooLong) return 'denied';
  const right = one.shown === 'right';
  if (!one.any) return !inside || (one.password && !right) ? 'denied' : one.external ? 'ask' : 'forward';
  // Ranges that only keep some away say of nobody that he may come in.
  const within = inside && (one.ranges === 'allow' || one.ranges === 'both');
  const asked = one.password || one.external;
  if (within || (one.password && right) || (!asked && inside)) return 'forward';
  return one.external ? 'ask' : 'denied';
}

it('nobody reaches an upstream whom the rules keep away, and nobody is kept away whom they let in', async () => {
  await fc.assert(
    fc.asyncProperty(world, async one => {
      const pair = one.shown === 'right' ? 'ann:secret' : 'ann:guess';
      const fields =
        one.shown === 'nothing' ? [] : ['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`];
      const client = aClientCertificate(one.judgedBy, one.verified);
      const head = aHead({
        from: one.from,
        secure: one.secure,
        fields,
        client,
        method: 'PUT',
        contentLength: one.tooLong ? 11 : 10,
      });
      const first = decide(tableFor(one), head, context);
      const decision = first.kind === 'pending' ? await first.decision : first;
      const outcome = decision.kind === 'answer' ? 'denied' : decision.auth === undefined ? 'forward' : 'ask';
      expect(outcome).toBe(model(one));
    }),
    { numRuns: 3_000 },
  );
});
