import { type Server as GrpcServer } from '@grpc/grpc-js';
import type { KubeObject } from '../../src/api/meta.ts';
import { createTestAuthority, type Identity, type TestAuthority } from '../harness/test-authority.ts';
import { secondEdgeAddress, upstreamAddresses } from '../netns.ts';
import { type Answer, ask, type Question } from './ask.ts';
import { type BedKind, type EdgeBed, prepareBed } from './bed.ts';
import { startGrpcUpstream } from './grpc.ts';
import { pairSecret, secret, serviceAt, servicePort } from './objects.ts';
import { type ReportingUpstream, startReportingUpstream } from './reporting-upstream.ts';

/** Upstreams in plain HTTP; each is a Service of its name, too. */
const plainUpstreams = ['one', 'two', 'three', 'canary', 'pages'] as const;
const address = (index: number): string => upstreamAddresses[index] ?? '';

/** Where upstreams listen. */
export const upstreamAt = {
  one: address(0),
  two: address(1),
  three: address(2),
  secure: { address: address(5), port: 8443 },
  /** Nobody listens there. */
  dead: address(6),
  grpc: { address: address(7), port: 50_051 },
  grpcs: { address: address(7), port: 50_052 },
} as const;

/** An address of a client that no upstream and no edge has. */
export const clientAddress = address(9);
export const otherEdge = secondEdgeAddress;
/** The Secret of a certificate for `*.example.com`. */
export const sitesSecret = 'sites';

/** What the tests of a request-level suite share. */
export interface World {
  readonly bed: EdgeBed;
  readonly kind: BedKind;
  /** Signs the certificates of sites. */
  readonly sites: TestAuthority;
  /** Signs those of upstreams, for the names `secure.default.svc`, `grpcs.default.svc` and `upstream.internal`. */
  readonly inner: TestAuthority;
  /** Signs those of clients, people and the edge. */
  readonly clients: TestAuthority;
  /** A client certificate of `ann`. */
  readonly ann: Identity;
  readonly upstreams: Readonly<Record<(typeof plainUpstreams)[number] | 'secure', ReportingUpstream>>;
  /** Asks in plain HTTP. */
  readonly ask: (host: string, question?: Partial<Question>) => Promise<Answer>;
  /** Asks over TLS. */
  readonly askTls: (
    host: string,
    question?: Partial<Question>,
    tls?: Partial<Question['tls']>,
  ) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

/** Part of a suite: the objects that it needs, which are there when Postern starts, and its tests. */
export interface Chapter {
  readonly title: string;
  objects(world: World): readonly KubeObject[] | Promise<readonly KubeObject[]>;
  /** What its tests need running beside; gives what ends it. */
  prepare?(world: World): Promise<() => unknown>;
  tests(world: () => World, kind: BedKind): void;
}

/** Prepares everything but Postern. */
export async function createWorld(kind: BedKind): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const bed = await prepareBed(kind);
    stack.defer(() => bed.stop());
    const [sites, inner, clients] = (await Promise.all(
      ['e2e sites', 'e2e upstreams', 'e2e clients'].map(createTestAuthority),
    )) as [TestAuthority, TestAuthority, TestAuthority];
    const identity = await inner.issue({
      commonName: 'upstream',
      dnsNames: ['secure.default.svc', 'grpcs.default.svc', 'upstream.internal'],
    });
    const tls = { cert: identity.certPem, key: identity.keyPem };
    const started: Record<string, ReportingUpstream> = {};
    const start = async (options: Parameters<typeof startReportingUpstream>[0]): Promise<void> => {
      const upstream = await startReportingUpstream(options);
      started[options.name] = upstream;
      stack.defer(() => upstream.stop());
    };
    for (const [index, name] of plainUpstreams.entries())
      await start({ name, address: address(index), port: servicePort });
    await start({
      name: 'secure',
      ...upstreamAt.secure,
      tls: { ...tls, ca: clients.caPem, requestCert: true, rejectUnauthorized: false },
    });
    const grpcServers: GrpcServer[] = [
      await startGrpcUpstream(upstreamAt.grpc),
      await startGrpcUpstream(upstreamAt.grpcs, identity),
    ];
    stack.defer(() => grpcServers.forEach(server => server.forceShutdown()));
    return {
      bed,
      kind,
      sites,
      inner,
      clients,
      ann: await clients.issue({ commonName: 'ann' }),
      upstreams: started as World['upstreams'],
      ask: (host, question = {}) => ask({ host, ...question }),
      askTls: (host, question = {}, tls = {}) => ask({ host, ...question, tls: { ca: sites.caPem, ...tls } }),
      stop: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** The Services of the upstreams, the class, and Secrets that many sites need. */
export async function sharedObjects({ sites, inner, clients }: World): Promise<KubeObject[]> {
  const wildcard = await sites.issue({ commonName: 'sites', dnsNames: ['*.example.com'] });
  const edge = await clients.issue({ commonName: 'edge' });
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'postern' },
      spec: { controller: 'postern.dev/ingress' },
    } as KubeObject,
    ...plainUpstreams.flatMap((name, index) => serviceAt(name, servicePort, address(index))),
    ...serviceAt('both', servicePort, address(0), address(1)),
    ...serviceAt('dead', servicePort, upstreamAt.dead),
    ...serviceAt('half-dead', servicePort, upstreamAt.dead, address(0)),
    ...serviceAt('empty', servicePort),
    ...serviceAt('secure', upstreamAt.secure.port, upstreamAt.secure.address),
    ...serviceAt('grpc', upstreamAt.grpc.port, upstreamAt.grpc.address),
    ...serviceAt('grpcs', upstreamAt.grpcs.port, upstreamAt.grpcs.address),
    pairSecret(sitesSecret, wildcard),
    secret('inner-ca', { 'ca.crt': inner.caPem }),
    pairSecret('edge-client', edge, inner.caPem),
    secret('clients-ca', { 'ca.crt': clients.caPem }),
  ];
}
