import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Each room and the rooms it may import; ARCHITECTURE.md tells why. files beside them may import them all. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  cli: ['config', 'kube', 'pki', 'api', 'core'],
  lint: ['controllers', 'issuers', 'edge', 'kube', 'api', 'core'],
  config: ['api', 'core'],
  controllers: ['issuers', 'solvers', 'runtime', 'kube', 'acme', 'pki', 'api', 'core'],
  issuers: ['acme', 'pki', 'kube', 'api', 'core'],
  solvers: ['kube', 'api', 'core'],
  edge: ['runtime', 'kube', 'pki', 'api', 'core'],
  runtime: ['kube', 'core', 'api'],
  kube: ['api', 'core'],
  acme: ['pki', 'core'],
  pki: ['core'],
  api: ['core'],
  core: [],
};

/** Packages that one room alone may import. */
const packageOwners: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': 'kube',
  'acme-client': 'acme',
  bcryptjs: 'edge',
  'node-forge': 'pki',
  '@peculiar/asn1-csr': 'pki',
  '@peculiar/asn1-schema': 'pki',
  '@peculiar/asn1-x509': 'pki',
  asn1js: 'pki',
  winston: 'config',
  'prom-client': 'runtime',
};

interface Import {
  readonly file: string;
  readonly room: string;
  readonly specifier: string;
}

function importsIn(source: string): Import[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    file => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('.testing.ts'),
  );
  return files.flatMap(file => {
    const text = readFileSync(join(source, file), 'utf8');
    const specifiers = text.matchAll(
      /^(?:import|export)\b[^'"`;]*?from\s*'([^']+)'|^import\s*'([^']+)'|\bimport\('([^']+)'\)/gm,
    );
    return [...specifiers].map(match => ({
      file,
      room: file.includes('/') ? (file.split('/')[0] ?? '') : '',
      specifier: match[1] ?? match[2] ?? match[3] ?? '',
    }));
  });
}

const source = import.meta.dirname;
const imports = importsIn(source);

describe('architecture', () => {
  it('finds the imports it is to check', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it('has no room that the table does not know', () => {
    const found = new Set(imports.map(({ room }) => room).filter(room => room !== ''));
    expect([...found].filter(room => !(room in rooms))).toEqual([]);
  });

  it('imports go down the list of rooms, never up', () => {
    const wrong = imports.filter(({ file, room, specifier }) => {
      if (room === '' || !specifier.startsWith('.')) return false;
      const target = relative(source, resolve(source, dirname(file), specifier)).split('/')[0] ?? '';
      return target !== room && !(rooms[room] ?? []).includes(target);
    });
    expect(wrong).toEqual([]);
  });

  it('a package with an owner is imported by its owner alone', () => {
    const wrong = imports.filter(({ room, specifier }) =>
      Object.entries(packageOwners).some(
        ([name, owner]) => (specifier === name || specifier.startsWith(`${name}/`)) && room !== owner,
      ),
    );
    expect(wrong).toEqual([]);
  });
});
