import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { findCondition } from '../../src/api/condition.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { newestLine } from '../harness/lines.ts';
import { type ObjectView, viewOf } from '../harness/object-view.ts';

const lines = await newestLine();

/** A root that signs an intermediate, and an issuer of that, with all its addresses. */
const issuers = `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: self, namespace: default}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: root, namespace: default}
spec:
  isCA: true
  commonName: Fields Root
  secretName: root-pair
  signatureAlgorithm: ECDSAWithSHA384
  privateKey: {algorithm: ECDSA, size: 384}
  nameConstraints: {critical: true, permitted: {dnsDomains: [example.com], ipRanges: [192.0.2.0/24]}}
  issuerRef: {name: self}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: root, namespace: default}
spec: {ca: {secretName: root-pair}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: intermediate, namespace: default}
spec:
  isCA: true
  literalSubject: "CN=Fields Intermediate,OU=Gates,O=Postern"
  secretName: intermediate-pair
  privateKey: {algorithm: RSA, size: 3072}
  issuerRef: {name: root}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: intermediate, namespace: default}
spec:
  ca:
    secretName: intermediate-pair
    crlDistributionPoints: ["http://crl.example.com/i.crl"]
    ocspServers: ["http://ocsp.example.com"]
    issuingCertificateURLs: ["http://ca.example.com/i.crt"]
`;

const everything = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'fields', namespace: 'default' },
  spec: {
    secretName: 'fields-tls',
    issuerRef: { name: 'intermediate' },
    commonName: 'fields.example.com',
    subject: {
      organizations: ['Gates, Inc.'],
      organizationalUnits: ['Doors'],
      countries: ['CH'],
      provinces: ['ZH'],
      localities: ['Zürich'],
      streetAddresses: ['1 Main St'],
      postalCodes: ['8000'],
      serialNumber: '42',
    },
    dnsNames: ['fields.example.com', '*.fields.example.com'],
    ipAddresses: ['192.0.2.7'],
    uris: ['spiffe://cluster.local/ns/default/sa/fields'],
    emailAddresses: ['ops@example.com'],
    otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'user@corp.example.com' }],
    usages: ['digital signature', 'key encipherment', 'server auth', 'client auth'],
    duration: '48h',
    privateKey: { algorithm: 'RSA', size: 2048, encoding: 'PKCS8', rotationPolicy: 'Never' },
    signatureAlgorithm: 'SHA512WithRSA',
    secretTemplate: { labels: { team: 'doors' }, annotations: { 'example.com/owner': 'gates' } },
    additionalOutputFormats: [{ type: 'CombinedPEM' }, { type: 'DER' }],
    keystores: {
      jks: {
        create: true,
        alias: 'fields',
        passwordSecretRef: { name: 'keystore-password', key: 'password' },
      },
      pkcs12: {
        create: true,
        profile: 'Modern2023',
        passwordSecretRef: { name: 'keystore-password', key: 'password' },
      },
    },
  },
};

const passwordSecret = (password: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keystore-password', namespace: 'default' },
    stringData: { password },
  });

const isThere = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).error === undefined;
const hasOpenssl = isThere('openssl', 'version');
const hasKeytool = isThere('keytool', '-help');

describe.each(lines)('the fields of a Certificate on Kubernetes %s', line => {
  let environment: Environment;
  let view: ObjectView;
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'postern-fields-'));
    environment = await startEnvironment({ line });
    view = viewOf(environment.api);
    await environment.cluster.apply(issuers);
    await environment.cluster.apply(JSON.stringify(everything));
  });

  afterAll(async () => {
    await environment?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const entry = async (name: string, secretName = 'fields-tls'): Promise<Buffer | undefined> => {
    const encoded = (await view.find(secrets, secretName))?.data?.[name];
    return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
  };
  const textOf = async (name: string, secretName?: string): Promise<string> =>
    (await entry(name, secretName))?.toString() ?? '';

  /** Puts an entry of the Secret into a file, for other programs. */
  async function file(name: string, secretName?: string): Promise<string> {
    const path = join(dir, `${secretName ?? ''}${name}`);
    await writeFile(path, (await entry(name, secretName)) ?? '');
    return path;
  }

  function run(command: string, ...args: string[]): string {
    const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' });
    expect(`${command} ${args[0]}: ${status} ${stderr}`).toMatch(/^\S+ \S+: 0 /);
    return stdout;
  }

  const edit = async (spec: object): Promise<unknown> =>
    environment.cluster.kubectl(
      ['patch', 'certificates.cert-manager.io', 'fields', '-n', 'default', '--type=merge', '-p'].concat(
        JSON.stringify({ spec }),
      ),
    );

  it('while the password of its keystores is missing, the pair is there, and the Certificate says what it waits for', async () => {
    const condition = await environment.eventually('not Ready for want of the password', async () => {
      const found = await view.find(certificates, 'fields');
      const ready = findCondition(found?.status?.conditions, 'Ready');
      return ready?.reason === 'KeystorePasswordMissing' && ready;
    });
    expect(condition.message).toContain('Secret "keystore-password" of spec.keystores.jks.passwordSecretRef');
    expect(await textOf('tls.crt')).toContain('BEGIN CERTIFICATE');
    await environment.eventually(
      'the event',
      async () => (await view.eventsOn('fields', 'KeystorePasswordMissing')).length > 0,
    );
    const serial = await view.serial('fields-tls');
    await environment.cluster.apply(passwordSecret('changeit'));
    await environment.eventually('Ready', () => view.readyCertificate('fields'));
    expect(await view.serial('fields-tls')).toBe(serial);
  });

  it('the certificate has every name, and those above it', async () => {
    const certificate = new X509Certificate(await textOf('tls.crt'));
    expect(certificate.subject.split('\n')).toEqual([
      'C=CH',
      'O=Gates\\, Inc.',
      'OU=Doors',
      'L=Zürich',
      'ST=ZH',
      'street=1 Main St',
      'postalCode=8000',
      'CN=fields.example.com',
      'serialNumber=42',
    ]);
    for (const name of [
      'DNS:fields.example.com',
      'DNS:*.fields.example.com',
      'IP Address:192.0.2.7',
      'URI:spiffe://cluster.local/ns/default/sa/fields',
      'email:ops@example.com',
    ])
      expect(certificate.subjectAltName).toContain(name);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(certificate.infoAccess).toContain('OCSP - URI:http://ocsp.example.com');
    expect(certificate.infoAccess).toContain('CA Issuers - URI:http://ca.example.com/i.crt');
    const lifetimeMs = certificate.validToDate.getTime() - certificate.validFromDate.getTime();
    expect(lifetimeMs).toBe(48 * 3_600_000 + 60_000);

    const pems = (await textOf('tls.crt')).split(/(?<=-----END CERTIFICATE-----\n)/);
    const chain = pems.map(pem => new X509Certificate(pem));
    const root = new X509Certificate(await textOf('tls.crt', 'root-pair'));
    expect(chain.map(({ subject }) => subject)).toEqual([
      certificate.subject,
      'O=Postern\nOU=Gates\nCN=Fields Intermediate',
    ]);
    const intermediate = chain[1] ?? root;
    // As with cert-manager: the topmost of what the Secret of the issuer has, which a Certificate has made without its root.
    expect(await textOf('ca.crt')).toBe(intermediate.toString());
    expect(certificate.checkIssued(intermediate) && certificate.verify(intermediate.publicKey)).toBe(true);
    expect(intermediate.checkIssued(root) && intermediate.verify(root.publicKey)).toBe(true);
  });

  it.runIf(hasOpenssl)('openssl verifies it, and reads the rest of it', async () => {
    const leaf = await file('tls.crt');
    const root = await file('tls.crt', 'root-pair');
    const purpose = ['-purpose', 'sslserver', '-verify_hostname', 'www.fields.example.com'];
    run('openssl', 'verify', ...purpose, '-CAfile', root, '-untrusted', leaf, leaf);
    const text = run('openssl', 'x509', '-in', leaf, '-noout', '-text');
    expect(text).toContain('URI:http://crl.example.com/i.crl');
    expect(text).toContain('Digital Signature, Key Encipherment');
    expect(text).toContain('CA:FALSE');
    expect(text).toMatch(/othername:.*user@corp\.example\.com/);
    const rootText = run('openssl', 'x509', '-in', root, '-noout', '-text');
    expect(rootText).toContain('ecdsa-with-SHA384');
    expect(rootText).toMatch(/Name Constraints: critical\s+Permitted:\s+DNS:example\.com\s+IP:192\.0\.2\.0/);
    run('openssl', 'rsa', '-in', await file('key.der'), '-inform', 'DER', '-check', '-noout');
    const pkcs12 = ['pkcs12', '-passin', 'pass:changeit', '-in'];
    const opened = run('openssl', ...pkcs12, await file('keystore.p12'), '-nodes');
    expect(opened.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const trusted = run('openssl', ...pkcs12, await file('truststore.p12'), '-nokeys');
    expect(trusted).toContain((await textOf('ca.crt')).trim());
  });

  it.runIf(hasKeytool)('keytool opens its keystores', async () => {
    const list = async (name: string): Promise<string> =>
      run('keytool', '-list', '-keystore', await file(name), '-storepass', 'changeit');
    expect(await list('keystore.jks')).toMatch(/^fields, .*PrivateKeyEntry/m);
    expect(await list('truststore.jks')).toMatch(/^ca, .*trustedCertEntry/m);
    expect(await list('keystore.p12')).toContain('PrivateKeyEntry');
    expect(await list('truststore.p12')).toContain('trustedCertEntry');
  });

  it('the Secret has the formats, the template, and what is said of the certificate', async () => {
    const secret = await view.find(secrets, 'fields-tls');
    expect(secret?.metadata).toMatchObject({
      labels: { team: 'doors', 'controller.cert-manager.io/fao': 'true' },
      annotations: {
        'example.com/owner': 'gates',
        'cert-manager.io/common-name': 'fields.example.com',
        'cert-manager.io/alt-names': 'fields.example.com,*.fields.example.com',
        'cert-manager.io/ip-sans': '192.0.2.7',
        'cert-manager.io/uri-sans': 'spiffe://cluster.local/ns/default/sa/fields',
        'cert-manager.io/email-sans': 'ops@example.com',
        'cert-manager.io/subject-organizations': '"Gates, Inc."',
        'cert-manager.io/subject-localities': 'Zürich',
        'cert-manager.io/subject-serialnumber': '42',
      },
    });
    const key = await textOf('tls.key');
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(await textOf('tls-combined.pem')).toBe(`${key}\n${await textOf('tls.crt')}`);
    expect(await entry('key.der')).toEqual(createPrivateKey(key).export({ format: 'der', type: 'pkcs8' }));
  });

  it('what the spec changes beside the certificate is changed without a new one', async () => {
    const serial = await view.serial('fields-tls');
    await environment.cluster.apply(passwordSecret('another one'));
    const opens = async (passphrase: string): Promise<boolean> => {
      createServer({ pfx: (await entry('keystore.p12')) ?? Buffer.alloc(0), passphrase }).close();
      return true;
    };
    await environment.eventually('the keystore opens with the other password', () => opens('another one'));
    await edit({
      secretTemplate: { labels: null, annotations: { 'example.com/owner': null, 'example.com/tier': '1' } },
      additionalOutputFormats: [{ type: 'DER' }],
      keystores: { jks: null },
      privateKey: { encoding: 'PKCS1' },
    });
    const secret = await environment.eventually('the Secret follows', async () => {
      const found = await view.find(secrets, 'fields-tls');
      return found?.metadata.annotations?.['example.com/tier'] === '1' && found;
    });
    expect(Object.keys(secret.data ?? {}).toSorted()).toEqual([
      'ca.crt',
      'key.der',
      'keystore.p12',
      'tls.crt',
      'tls.key',
      'truststore.p12',
    ]);
    expect(secret.metadata.annotations).not.toHaveProperty(['example.com/owner']);
    expect(secret.metadata.labels).toEqual({ 'controller.cert-manager.io/fao': 'true' });
    expect(await textOf('tls.key')).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    await opens('another one');
    expect(await view.serial('fields-tls')).toBe(serial);
    expect((await view.find(certificates, 'fields'))?.status?.revision).toBe(1);
  });

  it('with rotationPolicy Never a new certificate keeps the key', async () => {
    const key = createPrivateKey(await textOf('tls.key'));
    const serial = await view.serial('fields-tls');
    await edit({ dnsNames: ['fields.example.com'], ipAddresses: null });
    await environment.eventually('issued again', async () => {
      const certificate = await view.readyCertificate('fields');
      return certificate?.status?.revision === 2 && (await view.serial('fields-tls')) !== serial;
    });
    expect(createPrivateKey(await textOf('tls.key')).equals(key)).toBe(true);
    expect(new X509Certificate(await textOf('tls.crt')).subjectAltName).not.toContain('192.0.2.7');
  });
});
