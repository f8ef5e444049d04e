import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, certificates } from '../../src/api/cert-manager/certificate.ts';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { subjectFields } from '../../src/pki/subject.ts';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { linesToTest } from '../harness/lines.ts';
import { caIssuer, ingress } from '../harness/manifests.ts';
import { type ObjectView, viewOf } from '../harness/object-view.ts';

/** Every annotation for a field of the Certificate; `renew-before` stands for `renew-before-percentage` too. */
const forFields = {
  'cert-manager.io/common-name': 'everything.example.com',
  'cert-manager.io/alt-names': 'more.example.com, *.wild.example.com',
  'cert-manager.io/ip-sans': '192.0.2.7,2001:db8::7',
  'cert-manager.io/uri-sans': 'spiffe://cluster.local/ns/default',
  'cert-manager.io/email-sans': 'ops@example.com',
  'cert-manager.io/subject-organizations': 'Acme,"Rockets, Inc"',
  'cert-manager.io/subject-organizationalunits': 'IT',
  'cert-manager.io/subject-countries': 'DE',
  'cert-manager.io/subject-provinces': 'Bavaria',
  'cert-manager.io/subject-localities': 'Munich',
  'cert-manager.io/subject-postalcodes': '80331',
  'cert-manager.io/subject-streetaddresses': '"1 Main Street, Back Yard"',
  'cert-manager.io/subject-serialnumber': '4711',
  'cert-manager.io/duration': '24h',
  'cert-manager.io/renew-before': '8h',
  'cert-manager.io/usages': 'digital signature, server auth, client auth',
  'cert-manager.io/revision-history-limit': '3',
  'cert-manager.io/private-key-algorithm': 'ECDSA',
  'cert-manager.io/private-key-encoding': 'PKCS8',
  'cert-manager.io/private-key-size': '384',
  'cert-manager.io/private-key-rotation-policy': 'Never',
  'cert-manager.io/secret-template':
    '{"labels":{"team":"web"},"annotations":{"example.com/note":"from the Ingress"}}',
} as const;

const passedOn = {
  'postern.dev/fallback-issuers': 'other',
  'postern.dev/delete-secret': 'false',
  'postern.dev/revoke-on-delete': 'false',
  'example.com/team': 'web',
} as const;

const subject = {
  organizations: ['Acme', 'Rockets, Inc'],
  organizationalUnits: ['IT'],
  countries: ['DE'],
  provinces: ['Bavaria'],
  localities: ['Munich'],
  postalCodes: ['80331'],
  streetAddresses: ['1 Main Street, Back Yard'],
  serialNumber: '4711',
};

const byCa = { 'cert-manager.io/issuer': 'ca' };

const lines = await linesToTest();

describe.each(lines)('annotations of Ingresses on Kubernetes %s', line => {
  let environment: Environment;
  let view: ObjectView;

  beforeAll(async () => {
    environment = await startEnvironment({
      line,
      posternArgs: ['--extra-certificate-annotations', 'example.com/team'],
    });
    view = viewOf(environment.api);
    await environment.cluster.apply(caIssuer);
  });

  afterAll(async () => {
    await environment?.stop();
  });

  const apply = (name: string, annotations: Record<string, string>): Promise<unknown> =>
    environment.cluster.apply(ingress({ name, host: `${name}.example.com`, annotations }));

  const annotate = async (name: string, annotations: Record<string, string | null>): Promise<void> => {
    await environment.api.mergePatch(
      ingresses,
      { namespace: 'default', name },
      { metadata: { annotations } },
    );
  };

  const textIn = async (name: string, entry: string): Promise<string> =>
    Buffer.from((await view.find(secrets, name))?.data?.[entry] ?? '', 'base64').toString();

  const certificate = (what: string, looksRight: (found: Certificate) => boolean): Promise<Certificate> =>
    environment.eventually(what, async () => {
      const found = await view.find(certificates, 'everything-tls');
      return found !== undefined && looksRight(found) && found;
    });

  it('all reach the Certificate, and what is signed', async () => {
    await apply('everything', { ...byCa, ...forFields, ...passedOn });
    const made = await environment.eventually('Ready', () => view.readyCertificate('everything-tls'));
    expect(made.spec).toEqual({
      secretName: 'everything-tls',
      issuerRef: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
      commonName: 'everything.example.com',
      dnsNames: ['everything.example.com', 'more.example.com', '*.wild.example.com'],
      ipAddresses: ['192.0.2.7', '2001:db8::7'],
      uris: ['spiffe://cluster.local/ns/default'],
      emailAddresses: ['ops@example.com'],
      subject,
      duration: '24h0m0s',
      renewBefore: '8h0m0s',
      usages: ['digital signature', 'server auth', 'client auth'],
      revisionHistoryLimit: 3,
      privateKey: { algorithm: 'ECDSA', encoding: 'PKCS8', size: 384, rotationPolicy: 'Never' },
      secretTemplate: { labels: { team: 'web' }, annotations: { 'example.com/note': 'from the Ingress' } },
    });
    expect(made.metadata.annotations).toMatchObject(passedOn);

    const pem = await textIn('everything-tls', 'tls.crt');
    const leaf = parseCertificate(pem);
    expect(subjectFields(leaf.subject)).toMatchObject(subject);
    expect(leaf).toMatchObject({
      commonName: 'everything.example.com',
      dnsNames: ['everything.example.com', 'more.example.com', '*.wild.example.com'],
      ipAddresses: ['192.0.2.7', '2001:db8::7'],
      uris: ['spiffe://cluster.local/ns/default'],
      emailAddresses: ['ops@example.com'],
    });
    expect(leaf.usages.toSorted()).toEqual(['client auth', 'digital signature', 'server auth']);
    const { publicKey, validFromDate, validToDate } = new X509Certificate(pem);
    expect(publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'secp384r1' });
    expect(validToDate.getTime() - validFromDate.getTime()).toBeLessThan(25 * 3_600_000);
    expect(await textIn('everything-tls', 'tls.key')).toContain('-----BEGIN PRIVATE KEY-----');
    expect((await view.find(secrets, 'everything-tls'))?.metadata).toMatchObject({
      labels: { team: 'web' },
      annotations: { 'example.com/note': 'from the Ingress' },
    });
  });

  it('that are changed change the Certificate, and those that are removed leave it', async () => {
    await annotate('everything', {
      'cert-manager.io/renew-before': null,
      'cert-manager.io/renew-before-percentage': '50',
    });
    const changed = await certificate('a percentage', ({ spec }) => spec.renewBeforePercentage === 50);
    expect(changed.spec).not.toHaveProperty('renewBefore');

    const keys = [
      ...Object.keys(forFields),
      'cert-manager.io/renew-before-percentage',
      ...Object.keys(passedOn),
    ];
    await annotate('everything', Object.fromEntries(keys.map(key => [key, null])));
    const plain = await certificate('plain', ({ spec }) => spec.subject === undefined);
    expect(plain.spec).toEqual({
      secretName: 'everything-tls',
      issuerRef: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
      dnsNames: ['everything.example.com'],
      usages: ['digital signature', 'key encipherment'],
    });
    for (const key of Object.keys(passedOn)) expect(plain.metadata.annotations).not.toHaveProperty([key]);
    await environment.eventually('issued again', async () => {
      const pem = await textIn('everything-tls', 'tls.crt');
      return new X509Certificate(pem).subjectAltName === 'DNS:everything.example.com';
    });
  });

  it('that are wrong are told of together in one event, and nothing is made until they are mended', async () => {
    const wrong = {
      'cert-manager.io/duration': '90d',
      'cert-manager.io/email-sans': 'Ops <ops@example.com>',
      'cert-manager.io/usages': 'serving',
      'cert-manager.io/private-key-size': '1024',
      'cert-manager.io/secret-template': '{"annotation":{}}',
      'postern.dev/delete-secret': 'yes',
    };
    await apply('wrong', { ...byCa, ...wrong });
    const [event, ...others] = await environment.eventually('the event', async () => {
      const found = await view.eventsOn('wrong', 'BadConfig');
      return found.length > 0 && found;
    });
    expect(others).toEqual([]);
    expect(event?.type).toBe('Warning');
    for (const [key, value] of Object.entries(wrong))
      expect(event?.message).toContain(`${key} ${JSON.stringify(value)} `);
    expect(await view.find(certificates, 'wrong-tls')).toBeUndefined();

    await annotate('wrong', Object.fromEntries(Object.keys(wrong).map(key => [key, null])));
    await environment.eventually('Ready', () => view.readyCertificate('wrong-tls'));
  });
});
