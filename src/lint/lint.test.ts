import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LintReport } from '../api/lint-report.ts';
import { commandLine } from '../cli/program.testing.ts';
import { lintManifests } from './lint.ts';

const folder = join(import.meta.dirname, 'golden');
const names = readdirSync(folder).filter(name => name.endsWith('.yaml'));
const lintFiles = (files: Readonly<Record<string, string>>, ...flags: string[]) =>
  commandLine(['lint', ...Object.keys(files), ...flags], {
    lint: lintManifests,
    readFile: path => files[path] ?? '',
  });

describe('golden files: manifests of others', () => {
  it.each(names)('%s', async name => {
    const text = readFileSync(join(folder, name), 'utf8');
    const run = await lintFiles({ [name]: text });
    expect(run.status).toBe(1);
    expect(run.stderr).toBe('');
    await expect(run.stdout).toMatchFileSnapshot(join(folder, name.replace('.yaml', '.golden.txt')));
  });
});

const ingress = (more: string, annotations = ''): string => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations: {${annotations}}
spec:
  ingressClassName: postern
  rules:
    - host: web.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: { service: { name: web, port: { number: 80 } } }
${more}`;

describe('postern lint', () => {
  it.each<[string, string, string[], number]>([
    ['nothing to say', ingress(''), [], 0],
    ['a note', ingress('', '"nginx.ingress.kubernetes.io/rewrite-target": /'), [], 0],
    ['something that differs', ingress('', '"nginx.ingress.kubernetes.io/fancy": "1"'), [], 0],
    [
      'something that differs, strictly',
      ingress('', '"nginx.ingress.kubernetes.io/fancy": "1"'),
      ['--strict'],
      1,
    ],
    ['something refused', ingress('', '"nginx.ingress.kubernetes.io/backend-protocol": FCGI'), [], 1],
    ['something invalid', ingress('').replace('pathType: Prefix', 'pathType: Prefixed'), [], 1],
    ['no YAML', 'a: [', [], 1],
  ])('%s', async (_name, text, flags, status) => {
    expect((await lintFiles({ 'web.yaml': text }, ...flags)).status).toBe(status);
  });

  it('says nothing of objects that are elsewhere but that they are taken for granted', async () => {
    const run = await lintFiles({
      'web.yaml': ingress('  tls: [{ hosts: [web.example], secretName: web-tls }]\n'),
    });
    expect(run.stdout).toBe(
      '1 object: 0 invalid, 0 refused, 0 served differently, 0 notes\n\nNot in the files, and taken to be right: Secret default/web-tls, Service default/web\n',
    );
  });

  it('looks at what is in the files: a Secret that is there must be right', async () => {
    const secret =
      'apiVersion: v1\nkind: Secret\nmetadata: { name: web-tls }\nstringData: { tls.crt: nonsense }\n';
    const text = `${ingress('  tls: [{ hosts: [web.example], secretName: web-tls }]\n')}---\n${secret}`;
    const run = await lintFiles({ 'web.yaml': text });
    expect([run.status, run.stdout]).toEqual([
      1,
      expect.stringContaining('Secret "default/web-tls"') as string,
    ]);
    expect(run.stdout).not.toContain('nonsense');
  });

  it('knows the classes that it is told of', async () => {
    const text = ingress('').replace('ingressClassName: postern', 'ingressClassName: nginx');
    expect((await lintFiles({ 'web.yaml': text })).stdout).toContain(
      'which Postern serves with --ingress-class nginx',
    );
    expect((await lintFiles({ 'web.yaml': text }, '--ingress-class=nginx')).stdout).not.toContain(
      '--ingress-class',
    );
  });

  it('reads standard input and folders, and says which file and line', async () => {
    const files: Record<string, string> = {
      'm/a.yaml': ingress('').replace('name: web', 'name: Web'),
      'm/b.yaml': ingress(''),
    };
    const run = await commandLine(['lint', 'm', '-', '-o', 'json'], {
      lint: lintManifests,
      filesIn: path => (path === 'm' ? Object.keys(files) : undefined),
      readFile: path => files[path] ?? '',
      readStdin: async () => ingress(''),
    });
    const { findings } = JSON.parse(run.stdout) as LintReport;
    expect(findings.map(({ severity, object, file, line }) => [severity, object, file, line])).toContainEqual(
      ['invalid', 'Ingress default/web', 'stdin', 1],
    );
  });

  it.each([
    [[], 'postern lint takes the files or folders of your manifests'],
    [['gone.yaml'], '"gone.yaml" cannot be read: no such file'],
  ])('%j is bad usage', async (paths, message) => {
    const run = await commandLine(['lint', ...paths]);
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(message) as string]);
  });

  it('has a hint for templates that are not rendered', async () => {
    const run = await lintFiles({ 'chart.yaml': '{{- if .Values.ingress }}\nkind: Ingress\n{{- end }}\n' });
    expect(run.stdout).toContain('helm template');
  });
});
