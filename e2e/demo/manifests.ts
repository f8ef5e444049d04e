import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const source = join(import.meta.dirname, '../../examples/demo');

/**
 * Copies examples/demo into `folder` and puts in what only this run knows: where its ACME server listens, and which
 * authority its certificate and that of the HTTPS upstream come from.
 */
export async function writeManifests(
  folder: string,
  facts: { readonly directoryUrl: string; readonly acmeCaPem: string; readonly upstreamCaPem: string },
): Promise<void> {
  await cp(source, folder, { recursive: true });
  const file = join(folder, 'issuer.yaml');
  const issuer = await readFile(file, 'utf8');
  const server = 'server: https://127.0.0.1:14000/dir';
  if (!issuer.includes(server)) throw new Error(`${file} has no line "${server}" any more`);
  const caBundle = Buffer.from(facts.acmeCaPem).toString('base64');
  await writeFile(file, issuer.replace(server, `server: ${facts.directoryUrl}\n    caBundle: ${caBundle}`));
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'upstream-ca' },
    stringData: { 'ca.crt': facts.upstreamCaPem },
  };
  await writeFile(join(folder, 'upstream-ca.json'), JSON.stringify(secret, null, 2), { mode: 0o600 });
}
