import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { Event } from '../../src/api/kubernetes/event.ts';
import { places } from '../harness/environment.ts';
import type { Chapter } from './world.ts';

/** What is wrong with the objects of the other chapters: one event for each, by name, reason and kind (Ingress). */
const findings: readonly (readonly [
  name: string,
  reason: string,
  says: string,
  kind?: 'Ingress' | 'Mapping' | 'TLSContext',
])[] = [
  ['tls-lost', 'SecretNotFound', 'no-such-context', 'Mapping'],
  ['tls-broken', 'SecretNotFound', 'no-such-secret', 'Mapping'],
  ['tls-forced', 'UpstreamTLSInvalid', 'not-a-pair', 'Mapping'],
  ['tls-system', 'UpstreamTLSFailed', 'ca_secret', 'Mapping'],
  ['tls-misnamed', 'UpstreamTLSFailed', 'elsewhere.internal', 'Mapping'],
  ['broken', 'SecretNotFound', 'no-such-secret', 'TLSContext'],
  ['forced', 'InvalidTLSContext', 'not-a-pair', 'TLSContext'],
  ['of-resource', 'BackendUnsupported', 'Bucket'],
  ['broken', 'ServiceNotFound', '"default/no-such-service"'],
  ['wrong-port', 'ServicePortNotFound', '81'],
  ['lost', 'SecretNotFound', 'no-such-secret'],
  ['spoilt', 'SecretInvalid', 'spoilt'],
  ['basic-lost', 'SecretNotFound', 'auth-secret'],
  ['external-inside', 'AnnotationInvalid', 'auth-url'],
  ['snippet', 'AnnotationUnsupported', 'configuration-snippet'],
  ['no-such-protocol', 'AnnotationInvalid', 'FCGI'],
  ['misspelt', 'AnnotationInvalid', 'whitelist-source-range'],
  ['tls-unverified', 'UpstreamTLSUnverified', 'proxy-ssl-verify'],
  ['tls-foreign-secret', 'UpstreamTLSInvalid', 'of another namespace'],
  ['tls-misnamed', 'UpstreamTLSFailed', 'elsewhere.internal'],
  ['tls-unknown-ca', 'UpstreamTLSFailed', 'proxy-ssl-'],
  ['tls-secret-missing', 'SecretNotFound', 'no-such-secret'],
  ['tls-secret-without-ca', 'UpstreamTLSInvalid', 'ca.crt'],
  ['tls-ca-of-nothing', 'UpstreamTLSInvalid', 'ca.crt'],
  ['tls-verify-perhaps', 'AnnotationInvalid', '"maybe"'],
  ['tls-version-unknown', 'AnnotationInvalid', 'SSLv3'],
  ['tls-cipher-unknown', 'AnnotationInvalid', 'ROT13'],
  ['mtls-no-ca', 'SecretInvalid', 'ca.crt'],
];

/** Comes last: it looks at what the requests of the others have left. */
export const observation: Chapter = {
  title: 'what is told of it',
  objects: () => [],

  tests(world) {
    it('the access log has a line for each request, and no query', async () => {
      const { bed, ask } = world();
      const before = Date.now();
      await ask('classed.example.com', { path: '/logged?token=sesame', headers: { 'user-agent': 'e2e' } });
      const lineOf = async (): Promise<Record<string, unknown> | undefined> => {
        const lines = (await readFile(bed.logFile(), 'utf8')).split('\n');
        expect(lines.filter(line => line.includes('sesame'))).toEqual([]);
        const found = lines.find(line => line.includes('"path":"/logged"'));
        return found === undefined ? undefined : (JSON.parse(found) as Record<string, unknown>);
      };
      const line = await bed.eventually('the line is written', lineOf);
      expect(line).toMatchObject({
        method: 'GET',
        host: 'classed.example.com',
        path: '/logged',
        protocol: '1.1',
        status: 200,
        secure: false,
        userAgent: 'e2e',
        ingress: 'default/classed',
        upstream: '10.77.0.20:8080',
        requestId: expect.stringMatching(/^[0-9a-f]{16,}$/),
        bytesSent: expect.any(Number),
      });
      expect(Date.parse(String(line['time']))).toBeGreaterThanOrEqual(before - 1_000);
    });

    it('metrics count requests, errors of upstreams, handshakes and refusals, and know when certificates expire', async () => {
      const { bed } = world();
      const metrics = await bed.eventually('the workers have told', async () => {
        const response = await fetch(`http://${places.first.health}/metrics`);
        const text = await response.text();
        return /upstream_errors_total\{ingress="default\/tls-misnamed"/.test(text) && text;
      });
      const value = (pattern: RegExp): number => Number(pattern.exec(metrics)?.[1] ?? Number.NaN);
      expect(
        value(/postern_edge_requests_total\{ingress="default\/classed",code="2xx",tls="false"\} (\d+)/),
      ).toBeGreaterThan(0);
      expect(
        value(/postern_edge_requests_total\{ingress="default\/own",code="2xx",tls="true"\} (\d+)/),
      ).toBeGreaterThan(0);
      expect(value(/postern_edge_request_duration_seconds_count (\d+)/)).toBeGreaterThan(100);
      expect(
        value(/postern_edge_handshakes_total\{version="TLSv1.3",resumed="false"\} (\d+)/),
      ).toBeGreaterThan(10);
      expect(
        value(/postern_edge_certificate_expiry_timestamp_seconds\{secret="default\/own-tls"\} (\S+)/),
      ).toBeGreaterThan(Date.now() / 1_000);
      expect(value(/postern_edge_findings (\d+)/)).toBeGreaterThanOrEqual(findings.length - 2);
      expect(metrics).toMatch(/postern_edge_refused_total\{reason="[^"]+"\} [1-9]/);
      expect(metrics.match(/^postern_edge_connections\{worker=/gm)).toHaveLength(2);
    });

    it('each finding is one Warning event on its object', async () => {
      const { bed } = world();
      const isAbout =
        ([name, reason, , kind = 'Ingress']: (typeof findings)[number]) =>
        (warning: Event): boolean =>
          warning.involvedObject.kind === kind &&
          warning.involvedObject.name === name &&
          warning.reason === reason;
      const warnings = await bed.eventually('all are told', async () => {
        const found = await bed.warnings();
        const missing = findings.filter(finding => !found.some(isAbout(finding)));
        if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
        return found;
      });
      for (const finding of findings) {
        const own = warnings.filter(isAbout(finding));
        expect([finding[0], own.map(({ message }) => message)]).toEqual([
          finding[0],
          [expect.stringContaining(finding[2])],
        ]);
      }
      const texts = warnings.map(
        ({ involvedObject, message }) => `${involvedObject.kind} ${involvedObject.name} ${message}`,
      );
      expect(texts.length).toBe(new Set(texts).size);
      expect(texts.join('\n')).not.toMatch(/PRIVATE KEY|sesame/);
    });

    it('postern status shows them', async () => {
      const { status, stdout } = await world().bed.status('--ingress-class', 'nginx');
      expect(status).not.toBe(2);
      for (const [name, reason, says, kind = 'Ingress'] of findings) {
        if (reason === 'UpstreamTLSFailed') continue; // seen by requests alone
        const block = stdout.split(`${kind} default/${name}:\n`).at(-1)?.split(/^\S/m)[0] ?? '';
        expect([name, block]).toEqual([name, expect.stringContaining(says)]);
      }
    });
  },
};
