import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubernetesLine } from '../servers/versions.ts';

/** The ServiceAccount of the manifests in deploy/. */
export const posternServiceAccount = { namespace: 'postern-system', name: 'postern' } as const;

const wantedKinds = new Set([
  'Namespace',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
]);

/** The namespace, the ServiceAccount and the rights that deploy/ gives Postern, and nothing else of it. */
export async function rbacManifests(line: KubernetesLine): Promise<string> {
  const folder = join(
    import.meta.dirname,
    '../../deploy/manifests',
    line === '1.20' ? 'kubernetes-1.20' : '',
  );
  const text = await readFile(join(folder, 'postern.yaml'), 'utf8');
  const objects = parseAllDocuments(text)
    .map(document => document.toJS() as { kind?: string } | null)
    .filter(object => wantedKinds.has(object?.kind ?? ''));
  if (objects.length < 4) throw new Error(`postern.yaml in ${folder} holds no rights for Postern`);
  return objects.map(object => stringify(object)).join('---\n');
}
