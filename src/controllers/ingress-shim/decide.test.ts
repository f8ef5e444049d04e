import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { decideCertificates, type ShimDecision } from './decide.ts';
import type { ShimDefaults } from './issuer.ts';

const noDefaults: ShimDefaults = {
  issuer: { name: '', kind: 'Issuer', group: 'cert-manager.io' },
  autoCertificateAnnotations: ['kubernetes.io/tls-acme'],
  extraCertificateAnnotations: [],
};
const withDefaults: ShimDefaults = {
  ...noDefaults,
  issuer: { name: 'default', kind: 'ClusterIssuer', group: 'cert-manager.io' },
};

function anIngress(annotations: Record<string, string>, change: Partial<Ingress> = {}): Ingress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop', uid: 'ingress-uid', annotations, labels: { app: 'web' } },
    spec: { ingressClassName: 'postern', tls: [{ hosts: ['a.example.com'], secretName: 'a-tls' }] },
    ...change,
  };
}

const byClusterIssuer = { 'cert-manager.io/cluster-issuer': 'ca' };

function sync(decision: ShimDecision): ShimDecision & { kind: 'sync' } {
  if (decision.kind !== 'sync') throw new Error(`expected sync, got ${JSON.stringify(decision)}`);
  return decision;
}

function firstCertificate(ingress: Ingress, defaults = noDefaults): Certificate {
  const [certificate] = sync(decideCertificates(ingress, [], defaults)).create;
  if (certificate === undefined) throw new Error('no Certificate');
  return certificate;
}

describe('which Ingresses get Certificates', () => {
  it('none without an annotation', () => {
    expect(decideCertificates(anIngress({}), [], withDefaults)).toEqual({ kind: 'ignore' });
  });

  it.each(['true', '1', 'TRUE', 't'])('one with kubernetes.io/tls-acme %j and a default issuer', value => {
    const { spec } = firstCertificate(anIngress({ 'kubernetes.io/tls-acme': value }), withDefaults);
    expect(spec.issuerRef).toEqual({ name: 'default', kind: 'ClusterIssuer', group: 'cert-manager.io' });
  });

  it.each(['false', '0', 'yes', ''])('none with kubernetes.io/tls-acme %j', value => {
    expect(decideCertificates(anIngress({ 'kubernetes.io/tls-acme': value }), [], withDefaults)).toEqual({
      kind: 'ignore',
    });
  });

  it('none while it is being deleted', () => {
    const ingress = anIngress(byClusterIssuer);
    const metadata = { ...ingress.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(decideCertificates({ ...ingress, metadata }, [], noDefaults)).toEqual({ kind: 'ignore' });
    const foreground = { ...ingress.metadata, finalizers: ['foregroundDeletion'] };
    expect(decideCertificates({ ...ingress, metadata: foreground }, [], noDefaults)).toEqual({
      kind: 'ignore',
    });
  });
});

describe('the issuer', () => {
  it.each([
    [{ 'cert-manager.io/issuer': 'i' }, { name: 'i', kind: 'Issuer', group: 'cert-manager.io' }],
    [byClusterIssuer, { name: 'ca', kind: 'ClusterIssuer', group: 'cert-manager.io' }],
    [
      {
        'cert-manager.io/issuer': 'i',
        'cert-manager.io/issuer-kind': 'AWSPCAIssuer',
        'cert-manager.io/issuer-group': 'awspca.cert-manager.io',
      },
      { name: 'i', kind: 'AWSPCAIssuer', group: 'awspca.cert-manager.io' },
    ],
    [
      { ...byClusterIssuer, 'kubernetes.io/tls-acme': 'true' },
      { name: 'ca', kind: 'ClusterIssuer', group: 'cert-manager.io' },
    ],
  ])('of %j is %j', (annotations, issuerRef) => {
    expect(firstCertificate(anIngress(annotations), withDefaults).spec.issuerRef).toEqual(issuerRef);
  });

  it.each([
    [{ 'cert-manager.io/issuer': 'i' }, { name: 'i', kind: 'Issuer' }],
    [
      { 'cert-manager.io/issuer': 'i', 'cert-manager.io/issuer-kind': 'AWSPCAIssuer' },
      { name: 'i', kind: 'AWSPCAIssuer' },
    ],
    [byClusterIssuer, { name: 'ca', kind: 'ClusterIssuer' }],
  ])('of %j is in the default group', (annotations, issuerRef) => {
    const group = 'awspca.cert-manager.io';
    const defaults = { ...withDefaults, issuer: { ...withDefaults.issuer, group } };
    const { spec } = firstCertificate(anIngress(annotations), defaults);
    expect(spec.issuerRef).toEqual({ ...issuerRef, group });
  });

  it.each([
    [{ 'cert-manager.io/issuer': 'i', 'cert-manager.io/cluster-issuer': 'c' }, 'keep one of them'],
    [{ 'cert-manager.io/cluster-issuer': 'c', 'cert-manager.io/issuer-kind': 'K' }, 'does not go with'],
    [{ 'cert-manager.io/cluster-issuer': 'c', 'cert-manager.io/issuer-group': 'g' }, 'does not go with'],
    [{ 'kubernetes.io/tls-acme': 'true' }, '--default-issuer-name'],
    [{ 'cert-manager.io/issuer': '' }, 'no issuer is named'],
  ])('of %j is refused: %s', (annotations, sentence) => {
    const decision = decideCertificates(anIngress(annotations), [], noDefaults);
    expect(decision).toEqual({ kind: 'refuse', problems: [expect.stringContaining(sentence)] });
  });
});

describe('the Certificate', () => {
  it('is named as its Secret, owned by the Ingress, with its labels, usages and names', () => {
    const ingress = anIngress(byClusterIssuer, {
      spec: {
        tls: [
          {
            hosts: ['a.example.com', 'b.example.com', 'a.example.com', '192.0.2.1', '2001:db8::1'],
            secretName: 'a-tls',
          },
        ],
      },
    });
    ingress.metadata.labels = { app: 'web', 'applyset.kubernetes.io/part-of': 'x' };
    const { metadata, spec } = firstCertificate(ingress);
    expect(metadata).toMatchObject({ name: 'a-tls', namespace: 'shop', labels: { app: 'web' } });
    expect(metadata.labels).not.toHaveProperty(['applyset.kubernetes.io/part-of']);
    expect(metadata.ownerReferences).toEqual([
      expect.objectContaining({ kind: 'Ingress', name: 'web', uid: 'ingress-uid', controller: true }),
    ]);
    expect(spec).toMatchObject({
      secretName: 'a-tls',
      dnsNames: ['a.example.com', 'b.example.com'],
      ipAddresses: ['192.0.2.1', '2001:db8::1'],
      usages: ['digital signature', 'key encipherment'],
    });
  });

  it('passes on how challenges are to be solved', () => {
    const inPlace = firstCertificate(
      anIngress({ ...byClusterIssuer, 'acme.cert-manager.io/http01-edit-in-place': 'true' }),
    );
    expect(inPlace.metadata.annotations).toEqual({
      'acme.cert-manager.io/http01-override-ingress-name': 'web',
      'cert-manager.io/issue-temporary-certificate': 'true',
      'postern.dev/ingress-class': 'postern',
    });
    const byClass = firstCertificate(
      anIngress({
        ...byClusterIssuer,
        'acme.cert-manager.io/http01-edit-in-place': 'yes',
        'acme.cert-manager.io/http01-ingress-class': 'inner',
        'acme.cert-manager.io/http01-ingress-ingressclassname': '',
      }),
    );
    expect(byClass.metadata.annotations).toEqual({
      'acme.cert-manager.io/http01-override-ingress-class': 'inner',
      'postern.dev/ingress-class': 'postern',
    });
  });

  it('skips an entry without hosts or Secret, says so, and makes the others', () => {
    const ingress = anIngress(byClusterIssuer, {
      spec: {
        tls: [
          { secretName: 'no-hosts' },
          { hosts: ['b.example.com'] },
          { hosts: ['c.example.com'], secretName: 'c-tls' },
        ],
      },
    });
    const { create, problems } = sync(decideCertificates(ingress, [], noDefaults));
    expect(create.map(({ metadata }) => metadata.name)).toEqual(['c-tls']);
    expect(problems).toEqual([
      expect.stringContaining('spec.tls[0].hosts'),
      expect.stringContaining('spec.tls[1].secretName'),
    ]);
  });

  it('is not made at all where two entries share a Secret', () => {
    const entry = { hosts: ['a.example.com'], secretName: 'a-tls' };
    const decision = decideCertificates(
      anIngress(byClusterIssuer, { spec: { tls: [entry, entry] } }),
      [],
      noDefaults,
    );
    expect(decision).toEqual({ kind: 'refuse', problems: [expect.stringContaining('"a-tls"')] });
  });
});

describe('what is there already', () => {
  const ingress = anIngress(byClusterIssuer);
  const existing = firstCertificate(ingress);

  it('stays as it is when nothing has changed', () => {
    expect(decideCertificates(ingress, [existing], noDefaults)).toEqual({
      kind: 'sync',
      create: [],
      update: [],
      remove: [],
      problems: [],
    });
  });

  it('follows the Ingress, and keeps what others set in fields that no annotation is for', () => {
    const kept = {
      ...existing,
      metadata: { ...existing.metadata, annotations: { ...existing.metadata.annotations, theirs: 'x' } },
      spec: { ...existing.spec, isCA: true, keystores: { jks: { create: true, password: 'changeit' } } },
    };
    const changed = anIngress(
      { 'cert-manager.io/issuer': 'other' },
      { spec: { tls: [{ hosts: ['new.example.com'], secretName: 'a-tls' }] } },
    );
    const { update } = sync(decideCertificates(changed, [kept], noDefaults));
    expect(update).toEqual([
      expect.objectContaining({
        spec: {
          ...kept.spec,
          dnsNames: ['new.example.com'],
          issuerRef: { name: 'other', kind: 'Issuer', group: 'cert-manager.io' },
        },
      }),
    ]);
    expect(update[0]?.metadata.annotations).toEqual({ theirs: 'x' });
  });

  const extra: ShimDefaults = { ...noDefaults, extraCertificateAnnotations: ['example.com/team'] };

  it.each([
    ['cert-manager.io/common-name', 'a.example.com'],
    ['cert-manager.io/alt-names', 'b.example.com'],
    ['cert-manager.io/ip-sans', '192.0.2.1'],
    ['cert-manager.io/uri-sans', 'spiffe://a/b'],
    ['cert-manager.io/email-sans', 'ops@example.com'],
    ['cert-manager.io/subject-organizations', 'Acme'],
    ['cert-manager.io/subject-serialnumber', '7'],
    ['cert-manager.io/duration', '48h'],
    ['cert-manager.io/renew-before', '24h'],
    ['cert-manager.io/renew-before-percentage', '20'],
    ['cert-manager.io/usages', 'server auth'],
    ['cert-manager.io/revision-history-limit', '3'],
    ['cert-manager.io/private-key-algorithm', 'ECDSA'],
    ['cert-manager.io/private-key-encoding', 'PKCS8'],
    ['cert-manager.io/private-key-size', '4096'],
    ['cert-manager.io/private-key-rotation-policy', 'Never'],
    ['cert-manager.io/secret-template', '{"labels":{"a":"b"}}'],
    ['acme.cert-manager.io/http01-edit-in-place', 'true'],
    ['acme.cert-manager.io/http01-ingress-class', 'inner'],
    ['acme.cert-manager.io/http01-ingress-ingressclassname', 'inner'],
    ['postern.dev/fallback-issuers', 'second'],
    ['postern.dev/delete-secret', 'true'],
    ['postern.dev/revoke-on-delete', 'true'],
    ['example.com/team', 'web'],
  ])('has %s as soon as the Ingress has, and no longer', (key, value) => {
    const annotated = anIngress({ ...byClusterIssuer, [key]: value });
    const [made] = sync(decideCertificates(annotated, [], extra)).create;
    const [changed] = sync(decideCertificates(annotated, [existing], extra)).update;
    if (made === undefined || changed === undefined) throw new Error('no change');
    expect(made.metadata.annotations).toEqual(changed.metadata.annotations);
    expect(made.spec).toEqual(changed.spec);
    expect(decideCertificates(annotated, [changed], extra)).toMatchObject({ create: [], update: [] });
    const [restored] = sync(decideCertificates(ingress, [changed], extra)).update;
    expect(restored?.spec).toEqual(existing.spec);
    expect(restored?.metadata.annotations).toEqual(existing.metadata.annotations);
  });

  it.each([
    [
      'IP addresses',
      { tls: [{ hosts: ['a.example.com', '192.0.2.7'], secretName: 'a-tls' }] },
      byClusterIssuer,
    ],
    [
      'the group of the issuer',
      undefined,
      { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/issuer-group': 'x.example' },
    ],
    ['the kind of the issuer', undefined, { 'cert-manager.io/issuer': 'ca' }],
  ])('gets a change of %s', (_what, spec, annotations) => {
    const changed = anIngress(annotations, spec === undefined ? {} : { spec });
    const [updated] = sync(decideCertificates(changed, [existing], noDefaults)).update;
    expect(updated?.spec).toEqual(firstCertificate(changed).spec);
  });

  it('has the labels of the Ingress, those that were taken away too, and a part-of label of its own', () => {
    const labelled = {
      ...existing,
      metadata: {
        ...existing.metadata,
        labels: { app: 'web', old: 'x', 'applyset.kubernetes.io/part-of': 'set' },
      },
    };
    const [updated] = sync(decideCertificates(ingress, [labelled], noDefaults)).update;
    expect(updated?.metadata.labels).toEqual({ app: 'web', 'applyset.kubernetes.io/part-of': 'set' });
  });

  it('stays as it is where an annotation is bad, even where its entry has gone', () => {
    const bad = anIngress({ ...byClusterIssuer, 'cert-manager.io/duration': '5m' }, { spec: { tls: [] } });
    expect(decideCertificates(bad, [existing], noDefaults).kind).toBe('refuse');
  });

  it('goes when its entry has gone, and only where the Ingress owns it', () => {
    const gone = anIngress(byClusterIssuer, { spec: { tls: [] } });
    const { metadata } = existing;
    const foreign = { ...existing, metadata: { ...metadata, name: 'foreign', ownerReferences: [] } };
    expect(sync(decideCertificates(gone, [existing, foreign], noDefaults)).remove).toEqual([existing]);
  });

  it.each([[[]], [[{ apiVersion: 'v1', kind: 'Ingress', name: 'other', uid: 'other', controller: true }]]])(
    'is never touched where its owner is %j',
    ownerReferences => {
      const foreign = {
        ...existing,
        metadata: { ...existing.metadata, ownerReferences },
        spec: { ...existing.spec, dnsNames: ['theirs.example.com'] },
      };
      expect(decideCertificates(ingress, [foreign], noDefaults)).toEqual({
        kind: 'sync',
        create: [],
        update: [],
        remove: [],
        problems: [expect.stringContaining('is not for a.example.com; name another Secret')],
      });
    },
  );

  it('of another is all right where it is for the hosts, by a wildcard too', () => {
    const named = (...dnsNames: string[]) => {
      const foreign = { ...existing, metadata: { ...existing.metadata, ownerReferences: [] } };
      const certificate = { ...foreign, spec: { ...foreign.spec, dnsNames } };
      return sync(decideCertificates(ingress, [certificate], noDefaults)).problems.length;
    };
    expect([
      named('A.example.com', 'more.example.com'),
      named('*.example.com'),
      named('example.com'),
    ]).toEqual([0, 0, 1]);
  });
});
