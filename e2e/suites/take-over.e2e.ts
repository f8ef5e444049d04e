import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../src/api/acme/order.ts';
import { type Certificate, certificates } from '../../src/api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../src/api/cert-manager/certificate-request.ts';
import { findCondition, hasCondition } from '../../src/api/condition.ts';
import type { Ingress } from '../../src/api/kubernetes/ingress.ts';
import type { Secret } from '../../src/api/kubernetes/secret.ts';
import type { ObjectMeta } from '../../src/api/meta.ts';
import { samePublicKey } from '../../src/pki/private-key.ts';
import { createAcmeGround } from '../fixtures/cert-manager/acme-ground.ts';
import { putForeignObjects } from '../fixtures/cert-manager/acme-states.ts';
import { leftBehind, putIssuers } from '../fixtures/cert-manager/index.ts';
import { deployment, putInstallation } from '../fixtures/cert-manager/installation.ts';
import type { Expected, Outcome } from '../fixtures/cert-manager/left-behind.ts';
import { kubectlCommandsIn } from '../harness/document-commands.ts';
import { type Environment, places, startEnvironment } from '../harness/environment.ts';
import { newestLine } from '../harness/lines.ts';
import { posternServiceAccount } from '../harness/permissions.ts';
import { changesBetween, type Snapshot, takeSnapshot } from '../harness/world-snapshot.ts';
import { edgeAddress } from '../netns.ts';

const lines = await newestLine();

const guide = 'docs/migrating-from-cert-manager.md';

/** States whose Order is still to be made at the ACME server, or to be made there again. */
const notOrderedYet = ['order-missing', 'order-new', 'spec-changed', 'challenge-lost'];

describe.each(lines)('a cluster that cert-manager ran, on Kubernetes %s', line => {
  let environment: Environment;
  const expected = new Map<string, Expected | undefined>();
  let before: Snapshot;
  let after: Snapshot;
  let countsBefore: AcmeCounts;

  const namesOf = (...outcomes: Outcome[]): string[] =>
    leftBehind.filter(({ outcome }) => outcomes.includes(outcome)).map(({ name }) => name);

  beforeAll(async () => {
    environment = await startEnvironment({ line, withPostern: false });
    const { api, pebble } = environment;
    const authority = await putIssuers(api);
    const clusterNamespace = posternServiceAccount.namespace;
    const acme = await createAcmeGround({ api, pebble, clusterNamespace, address: edgeAddress });
    const ground = { api, authority, acme, create };
    for (const { name, make } of leftBehind) expected.set(name, await make(ground));
    await putForeignObjects(ground);
    await acme.stop();
    await putInstallation(ground);
    await follow('Before you switch');
    await follow('Switching');
    before = await takeSnapshot(api);
    countsBefore = await acmeCounts(environment);

    await environment.startPostern();
    await environment.eventually('every issuance is over, one way or the other', allSettled, 120_000);
    after = await takeSnapshot(api);
  }, 400_000);

  afterAll(async () => {
    await environment?.stop();
  });

  async function create(object: object): Promise<string> {
    const text = JSON.stringify(object);
    const made = await environment.cluster.kubectl(['create', '-o', 'json', '-f', '-'], text);
    return (JSON.parse(made) as { metadata: { name: string } }).metadata.name;
  }

  /** Does what the guide says below a heading; gives what was printed. */
  async function follow(heading: string): Promise<string> {
    const printed: string[] = [];
    for (const command of await kubectlCommandsIn(guide, heading))
      printed.push(await environment.cluster.kubectl(command));
    return printed.join('\n');
  }

  async function allSettled(): Promise<boolean> {
    const now = new Map(
      (await environment.api.list(certificates)).items.map(one => [one.metadata.name, one] as const),
    );
    const open = leftBehind.filter(({ name, outcome }) => {
      const { conditions } = now.get(name)?.status ?? {};
      const isReady = hasCondition(conditions, 'Ready') && !hasCondition(conditions, 'Issuing');
      const hasFailed = hasCondition(conditions, 'Issuing', 'False');
      return outcome === 'failed' || outcome === 'waits' ? !hasFailed : !isReady;
    });
    if (open.length > 0) throw new Error(`still open: ${open.map(({ name }) => name).join(', ')}`);
    const sum = await controllerCalls();
    return sum >= leftBehind.length;
  }

  /** How often Postern has looked at a Certificate. */
  async function controllerCalls(): Promise<number> {
    const text = await (await fetch(`http://${places.first.health}/metrics`)).text();
    const [, count = '0'] =
      /^certmanager_controller_sync_call_count\{[^}]*controller="certificates"[^}]*\} (\d+)/m.exec(text) ??
      [];
    return Number(count);
  }

  const at = (snapshot: Snapshot, name: string) => {
    const certificate = snapshot.find('Certificate', name) as Certificate;
    const secret: Secret | undefined = snapshot.find('Secret', certificate.spec.secretName);
    return {
      certificate,
      secret,
      requests: snapshot.of('CertificateRequest', name) as CertificateRequest[],
      orders: snapshot.of('Order', name) as Order[],
    };
  };
  const names = (objects: readonly { metadata: { name?: string | undefined; uid?: string | undefined } }[]) =>
    objects.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).toSorted();

  /** The key of an issuance that has failed stays until the next try. */
  const isOfFailed = ({ ownerReferences }: ObjectMeta): boolean =>
    ownerReferences?.some(owner => namesOf('failed').includes(owner.name)) === true;

  it('has 50 Certificates and more', () => {
    expect(leftBehind.length).toBeGreaterThanOrEqual(50);
    expect(new Set(leftBehind.map(({ name }) => name)).size).toBe(leftBehind.length);
  });

  it.each(namesOf('untouched'))('%s: nothing is written', name => {
    const [old, now] = [at(before, name), at(after, name)];
    expect(old.secret).toBeDefined();
    expect({ ...now, certificate: undefined }).toEqual({ ...old, certificate: undefined });
    expectSameButRenewal(old.certificate, now.certificate);
  });

  it.each(namesOf('kept'))('%s: key and certificate stay, and no request is made', name => {
    const [old, now] = [at(before, name), at(after, name)];
    expect(now.secret?.data).toEqual(old.secret?.data);
    expect(now.secret?.metadata.labels).toMatchObject({ 'controller.cert-manager.io/fao': 'true' });
    expect(now.secret?.metadata.annotations).toMatchObject({
      'cert-manager.io/certificate-name': name,
      'cert-manager.io/issuer-group': 'cert-manager.io',
    });
    expect(now.requests).toEqual(old.requests);
    const { annotations } = now.certificate.metadata;
    const noted = annotations?.['postern.dev/ingress-class'];
    expect(noted).toBe(name === 'of-ingress-with-class' ? 'postern' : undefined);
    expectSameButRenewal(old.certificate, now.certificate, { annotations });
  });

  it.each(namesOf('issued'))('%s: one certificate is issued', name => {
    const [old, now] = [at(before, name), at(after, name)];
    const revision = (old.certificate.status?.revision ?? 0) + 1;
    expect(now.certificate.status?.revision).toBe(revision);
    expect(now.requests.map(({ metadata }) => metadata.name)).toEqual([`${name}-${revision}`]);
    expect(serialOf(now.secret)).not.toBe(serialOf(old.secret));
    expect(pairFits(now.secret)).toBe(true);
  });

  it.each(namesOf('carried on'))('%s: the issuance that was begun is carried through', name => {
    const [old, now] = [at(before, name), at(after, name)];
    const { key, chain } = expected.get(name) ?? {};
    const stored = createPrivateKey(decoded(now.secret, 'tls.key'));
    expect(key !== undefined && samePublicKey(stored, key)).toBe(true);
    if (chain !== undefined) expect(decoded(now.secret, 'tls.crt')).toBe(chain);
    expect(pairFits(now.secret)).toBe(true);
    expect(now.certificate.status?.revision).toBe(1);
    expect(now.certificate.status?.nextPrivateKeySecretName).toBeUndefined();
    if (old.requests.length > 0) expect(names(now.requests)).toEqual(names(old.requests));
    if (old.orders.length > 0) expect(names(now.orders)).toEqual(names(old.orders));
    expect(now.orders.length).toBeLessThanOrEqual(1);
  });

  it.each(namesOf('failed'))('%s: the failure is told, and the next try waits', name => {
    const [old, now] = [at(before, name), at(after, name)];
    const { status } = now.certificate;
    expect(status).toMatchObject({ failedIssuanceAttempts: 1, lastFailureTime: expect.any(String) });
    expect(findCondition(status?.conditions, 'Issuing')).toMatchObject({
      status: 'False',
      reason: expect.stringMatching(/^(Failed|Denied)$/),
    });
    expect(names(now.requests)).toEqual(names(old.requests));
    expect(names(now.orders)).toEqual(names(old.orders));
    expect(now.secret).toBeUndefined();
  });

  it.each(namesOf('waits'))('%s: nothing is tried before its time', name => {
    const [old, now] = [at(before, name), at(after, name)];
    const { conditions: _old, ...oldStatus } = old.certificate.status ?? {};
    const { conditions: _now, ...status } = now.certificate.status ?? {};
    expect(status).toEqual(oldStatus);
    expect(now.secret).toEqual(old.secret);
    expect(now.requests).toEqual(old.requests);
  });

  it('a challenge that cannot be solved here says why', () => {
    const { requests, certificate } = at(after, 'challenge-dns01');
    const message = findCondition(requests[0]?.status?.conditions, 'Ready')?.message ?? '';
    expect(message).toContain('http01.ingress');
    expect(findCondition(certificate.status?.conditions, 'Issuing')?.message).toContain('http01.ingress');
  });

  it('the ACME account is taken over without a question to the server, and nothing is ordered twice', async () => {
    const counts = await acmeCounts(environment);
    expect(counts.registrations).toBe(countsBefore.registrations);
    expect(counts.orders).toBe(countsBefore.orders + notOrderedYet.length);
  });

  it('issuers and account keys are not written to', () => {
    const kinds = /^(Issuer|ClusterIssuer) |^Secret .*left-account$|^Secret .*ca-pair$/;
    expect(changesBetween(before, after).filter(id => kinds.test(id))).toEqual([]);
  });

  it('no challenge, no finalizer, no next private key is left, and what cert-manager made for them goes too', async () => {
    await environment.eventually(
      'all is cleaned up',
      async () => {
        const { objects } = await takeSnapshot(environment.api);
        const left = [...objects].filter(
          ([id, { metadata }]) =>
            id.startsWith('Challenge ') ||
            (metadata.labels?.['cert-manager.io/next-private-key'] !== undefined && !isOfFailed(metadata)) ||
            (metadata.labels?.['acme.cert-manager.io/http01-solver'] !== undefined &&
              metadata.ownerReferences?.some(({ kind }) => kind === 'Challenge')),
        );
        if (left.length > 0) throw new Error(left.map(([id]) => id).join(', '));
        return true;
      },
      // The garbage collector of Kubernetes learns of new kinds every 30 seconds.
      240_000,
    );
  }, 250_000);

  it('what looks like a solver and is nobody’s stays', async () => {
    const now = await takeSnapshot(environment.api);
    const foreign = [...before.objects].filter(
      ([, { metadata }]) =>
        metadata.labels?.['acme.cert-manager.io/http01-solver'] !== undefined &&
        metadata.ownerReferences === undefined,
    );
    expect(new Set(foreign.map(([, { kind }]) => kind))).toEqual(new Set(['Ingress', 'Pod', 'Service']));
    expect(foreign).toHaveLength(3);
    for (const [id, object] of foreign) expect(now.objects.get(id)).toEqual(object);
  });

  it.each(['in-place', 'in-place-only-rule'])('Ingress %s is as if it had never been edited', async name => {
    const ingress = await environment.eventually('the path is gone', async () => {
      const found = (await takeSnapshot(environment.api)).find('Ingress', name) as Ingress;
      return !JSON.stringify(found.spec).includes('acme-challenge') && found;
    });
    const backend = { service: { name: 'plain', port: { number: 8080 } } };
    const { rules, defaultBackend } = ingress.spec ?? {};
    if (name === 'in-place') {
      expect(rules).toEqual([
        { host: `${name}.example.com`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } },
      ]);
    } else {
      expect(rules).toBeUndefined();
      expect(defaultBackend).toEqual(backend);
    }
    expect(Object.keys(ingress.metadata.annotations ?? {}).toSorted()).toEqual([
      'acme.cert-manager.io/http01-edit-in-place',
      'cert-manager.io/cluster-issuer',
    ]);
  });

  it('nothing that cert-manager does not know stands where it reads', async () => {
    const unknown = [...after.objects.values()].flatMap(object =>
      fieldsOf((object as Certificate).status ?? {}).filter(
        field => statusFields[object.kind ?? '']?.has(field) === false,
      ),
    );
    expect(unknown).toEqual([]);
  });

  it('the commands for after the switch work', async () => {
    expect(await follow('After the switch')).toContain('ecdsa-256');
  });

  it('a second start writes nothing at all', async () => {
    const first = environment.postern;
    first.signal('SIGTERM');
    await first.exited;
    const rest = await takeSnapshot(environment.api);
    await environment.startPostern();
    await environment.eventually(
      'every Certificate was looked at',
      async () => (await controllerCalls()) >= leftBehind.length,
    );
    const now = await takeSnapshot(environment.api);
    expect(changesBetween(rest, now)).toEqual([]);
  });

  it('the commands for going back take what is Postern’s own away, and nothing else', async () => {
    const { postern, api } = environment;
    await create(deployment('postern-system', 'postern', 'postern:0.1.0'));
    postern.signal('SIGTERM');
    await postern.exited;
    const rest = await takeSnapshot(api);
    expect(rest.find('Service', 'cm-acme-http-solver')).toBeDefined();
    await follow('Going back');
    expect(changesBetween(rest, await takeSnapshot(api))).toEqual(['Service default/cm-acme-http-solver']);
  });
});

/** Fields of the status that cert-manager 1.21 has, without the indexes of lists. */
const statusFields: Readonly<Record<string, ReadonlySet<string>>> = {
  Certificate: new Set([
    ...conditionFields(),
    'conditions.observedGeneration',
    'notBefore',
    'notAfter',
    'renewalTime',
    'revision',
    'nextPrivateKeySecretName',
    'lastFailureTime',
    'failedIssuanceAttempts',
  ]),
  CertificateRequest: new Set([...conditionFields(), 'certificate', 'ca', 'failureTime']),
  Order: new Set([
    'url',
    'finalizeURL',
    'certificate',
    'state',
    'reason',
    'failureTime',
    'authorizations.url',
    'authorizations.identifier',
    'authorizations.wildcard',
    'authorizations.initialState',
    'authorizations.challenges.url',
    'authorizations.challenges.token',
    'authorizations.challenges.type',
  ]),
  Challenge: new Set(['processing', 'presented', 'reason', 'state']),
  Issuer: new Set(issuerFields()),
  ClusterIssuer: new Set(issuerFields()),
};

function conditionFields(): string[] {
  return ['type', 'status', 'reason', 'message', 'lastTransitionTime'].map(field => `conditions.${field}`);
}

function issuerFields(): string[] {
  const account = ['uri', 'lastRegisteredEmail', 'lastPrivateKeyHash'].map(field => `acme.${field}`);
  return [...conditionFields(), 'conditions.observedGeneration', ...account];
}

/** The paths of all values in an object. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap(one => fieldsOf(one, path)))];
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, one]) =>
    fieldsOf(one, path === '' ? name : `${path}.${name}`),
  );
}

interface AcmeCounts {
  readonly registrations: number;
  readonly orders: number;
}

/** How often Pebble was asked for an account and for an order, by its own log. */
async function acmeCounts({ dir }: Environment): Promise<AcmeCounts> {
  const log = await readFile(join(dir, 'pebble', 'pebble.log'), 'utf8');
  const count = (path: string): number => log.split(`POST ${path} `).length - 1;
  return { registrations: count('/sign-me-up'), orders: count('/order-plz') };
}

/** Whether a Certificate is as it was, but for a renewal that is spread over the day before it is due. */
function expectSameButRenewal(old: Certificate, now: Certificate, metadata: ObjectMeta = {}): void {
  const plain = (object: Certificate): object => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: undefined, managedFields: undefined },
  });
  const renewalTime = now.status?.renewalTime ?? '';
  const earlierMs = Date.parse(old.status?.renewalTime ?? '') - Date.parse(renewalTime);
  expect(earlierMs).toBeGreaterThanOrEqual(0);
  expect(earlierMs).toBeLessThanOrEqual(24 * 3_600_000);
  expect(plain(now)).toEqual(
    plain({ ...old, metadata: { ...old.metadata, ...metadata }, status: { ...old.status, renewalTime } }),
  );
}

function decoded(secret: Secret | undefined, entry: string): string {
  return Buffer.from(secret?.data?.[entry] ?? '', 'base64').toString();
}

function serialOf(secret: Secret | undefined): string | undefined {
  return secret && new X509Certificate(decoded(secret, 'tls.crt')).serialNumber;
}

function pairFits(secret: Secret | undefined): boolean {
  return new X509Certificate(decoded(secret, 'tls.crt')).checkPrivateKey(
    createPrivateKey(decoded(secret, 'tls.key')),
  );
}
