import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { AuthService } from '../../api/getambassador/auth-service.ts';
import type { KubeObject } from '../../api/meta.ts';
import { compileObjects, type Objects } from './builders.testing.ts';
import { describeTable } from './describe-table.ts';

const folder = join(import.meta.dirname, 'golden');
const files = readdirSync(folder).filter(name => name.endsWith('.yaml'));

function objectsIn(file: string): Objects {
  const all = parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(
    document => document.toJS() as KubeObject,
  );
  const ofKind = <T>(kind: string): T[] => all.filter(object => object.kind === kind) as T[];
  return {
    ingresses: ofKind('Ingress'),
    ingressClasses: ofKind('IngressClass'),
    services: ofKind('Service'),
    endpointSlices: ofKind('EndpointSlice'),
    secrets: ofKind('Secret'),
    emissary: {
      mappings: ofKind('Mapping'),
      tlsContexts: ofKind('TLSContext'),
      guards: [...ofKind<AuthService>('AuthService'), ...ofKind<AuthService>('FilterPolicy')],
    },
  };
}

describe('golden files: Ingresses to routing table and findings', () => {
  it.each(files)('%s', async file => {
    const { table, findings } = compileObjects(objectsIn(file), { ingressClasses: ['nginx'] });
    const found = findings.map(
      ({ object, reason, message }) =>
        `${object.metadata.namespace}/${object.metadata.name} ${reason}: ${message}`,
    );
    const text = `${JSON.stringify({ table: describeTable(table), findings: found }, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(folder, file.replace('.yaml', '.golden.json')));
  });
});
