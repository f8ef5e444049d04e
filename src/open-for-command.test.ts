import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificates } from './api/cert-manager/certificate.ts';
import { configMaps } from './api/kubernetes/core.ts';
import { commandLine } from './cli/program.testing.ts';
import { systemClock } from './core/clock.ts';
import { silentLogger } from './core/logger.ts';
import { aStateFolder } from './kube/embedded/store.testing.ts';
import { openForCommand } from './open-for-command.ts';
import { openObjects } from './open-objects.ts';
import { createMetrics } from './runtime/metrics.ts';

const manifest = `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: site, namespace: shop}
spec: {secretName: site-tls, dnsNames: [shop.test], issuerRef: {name: le}}
`;

/** A state folder with the process that has it: its store, filled from a folder of manifests. */
async function aRunningStore(files: Readonly<Record<string, string>> = {}) {
  const manifests = aStateFolder();
  for (const [name, text] of Object.entries({ 'site.yaml': manifest, ...files })) {
    writeFileSync(join(manifests, name), text);
  }
  const stateDir = aStateFolder();
  const objects = await openObjects({
    config: { source: { kind: 'standalone', manifests, stateDir } },
    clock: systemClock,
    logger: silentLogger,
    userAgent: 'test',
    metrics: createMetrics({ version: 'test' }),
  });
  onTestFinished(() => objects.close());
  return { stateDir, objects };
}

describe('a command beside a standalone Postern', () => {
  it('reads its objects, and has it change a status', async () => {
    const { stateDir, objects } = await aRunningStore();
    const run = await commandLine(['renew', 'site', '-n', 'shop', '--state-dir', stateDir], {
      openApi: async source => openForCommand(source, 'test'),
    });
    expect([run.status, run.stderr]).toEqual([0, '']);
    const { status } = await objects.api.get(certificates, { namespace: 'shop', name: 'site' });
    expect(status?.conditions).toMatchObject([{ type: 'Issuing', reason: 'ManuallyTriggered' }]);
  });

  it('is told of manifests that could not be applied, by file and line', async () => {
    const { stateDir } = await aRunningStore({ 'broken.yaml': 'kind: Ingress\nmetadata: {name: [}\n' });
    const run = await commandLine(['status', '--state-dir', stateDir], {
      openApi: async source => openForCommand(source, 'test'),
    });
    expect(run.stderr).toMatch(/^postern: manifest \S+broken\.yaml:2/);
    expect(run.stdout).toContain('site');
    expect(run.status).toBe(1);
  });

  it('changes nothing else', async () => {
    const { stateDir } = await aRunningStore();
    const opened = openForCommand({ kind: 'state-folder', stateDir }, 'test');
    onTestFinished(() => opened.close());
    const { api, namespace } = opened;
    expect(namespace).toBe('default');
    await expect(api.create(configMaps, { metadata: { namespace, name: 'x' } })).rejects.toMatchObject({
      code: 'KUBE_FORBIDDEN',
    });
  });

  it('is told so where none runs', async () => {
    const { stateDir, objects } = await aRunningStore();
    await objects.close();
    const run = await commandLine(['renew', 'site', '-n', 'shop', '--state-dir', stateDir], {
      openApi: async source => openForCommand(source, 'test'),
    });
    expect([run.status, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toContain(`No Postern runs on the state folder ${stateDir}`);
  });
});

describe('a command against a cluster', () => {
  it.each([
    [{ namespace: 'shop' }, 'shop'],
    [{}, 'default'],
  ])('means by default the namespace of the kubeconfig: %j', async (context, expected) => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-kubeconfig-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const kubeconfig = join(folder, 'config');
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...context } }],
      'current-context': 'x',
    };
    writeFileSync(kubeconfig, JSON.stringify(content));
    const opened = openForCommand({ kind: 'cluster', kubeconfig }, 'test');
    onTestFinished(() => opened.close());
    expect(opened.namespace).toBe(expected);
  });
});
