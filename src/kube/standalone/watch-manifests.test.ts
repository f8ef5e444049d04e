import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { services } from '../../api/kubernetes/service.ts';
import { manualClock } from '../../core/clock.testing.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { LogFields, Logger } from '../../core/logger.ts';
import { silentLogger } from '../../core/logger.ts';
import { type EmbeddedApi, openEmbeddedApi } from '../embedded/open.ts';
import { anEmbeddedApi } from '../embedded/store.testing.ts';
import { type ManifestProblem, problemText, readManifestProblems } from './problem.ts';
import { type ManifestWatch, watchManifests } from './watch-manifests.ts';

const key = (name: string) => ({ namespace: 'default', name });

function aFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'postern-manifests-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

interface Fixture {
  readonly dir: string;
  readonly api: EmbeddedApi;
  readonly logged: string[];
  readonly watch: ManifestWatch;
  /** Writes a file and applies the folder. Without text the file is removed. */
  readonly put: (file: string, text?: string) => Promise<void>;
  /** The problems, with paths below the folder. */
  readonly problems: () => string[];
  readonly names: () => Promise<string[]>;
}

async function aWatchedFolder(
  options: { dir?: string; api?: EmbeddedApi; clock?: Clock } = {},
  files: Record<string, string> = {},
): Promise<Fixture> {
  const dir = options.dir ?? aFolder();
  const api = options.api ?? anEmbeddedApi();
  const logged: string[] = [];
  const log = (message: string, fields?: LogFields): void =>
    void logged.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  const write = (file: string, text: string | undefined): void => {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    if (text === undefined) rmSync(join(dir, file));
    else writeFileSync(join(dir, file), text);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  // Time stands still: what is applied is applied by `put`.
  const watch = watchManifests({ dir, api, clock: options.clock ?? manualClock(), logger });
  onTestFinished(() => watch.stop());
  await watch.ready;
  return {
    dir,
    api,
    logged,
    watch,
    async put(file, text) {
      write(file, text);
      await watch.sync();
    },
    problems: () => watch.problems().map(problem => problemText(problem).replace(`${dir}/`, '')),
    async names() {
      const lists = [await api.list(ingresses), await api.list(services), await api.list(secrets)];
      return lists.flatMap(({ items }) => items.map(object => `${object.kind} ${object.metadata.name}`));
    },
  };
}

function anIngress(name: string, more = '', backend = 'web'): string {
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
${more}spec:
  defaultBackend:
    service: { name: ${backend}, port: { number: 80 } }
`;
}

function aService(name: string, port = '80'): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  type: ExternalName
  externalName: web.example
  ports:
    - port: ${port}
`;
}

describe('a folder of manifests', () => {
  it('is applied with all its files, documents, Lists and sub-folders', async () => {
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'c' }, stringData: { a: 'b' } }],
    });
    const { names, problems, watch } = await aWatchedFolder(
      {},
      {
        'a.yaml': `${anIngress('a')}---\n${aService('a')}`,
        'deep/er/b.yml': anIngress('b'),
        'c.json': list,
        'notes.txt': 'not a manifest: [',
        '.hidden.yaml': anIngress('hidden'),
        'deployment.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: x }\n',
      },
    );
    expect(await names()).toEqual(['Ingress a', 'Ingress b', 'Service a', 'Secret c']);
    expect(problems()).toEqual([]);
    await watch.sync();
  });

  it('names what it passes over, once', async () => {
    const { logged, watch } = await aWatchedFolder(
      {},
      {
        'b.yaml':
          'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: x }\n---\napiVersion: v1\nkind: Namespace\nmetadata: { name: x }\n',
      },
    );
    await watch.sync();
    expect(logged.filter(line => line.includes('passed over') && line.includes('b.yaml'))).toEqual([
      expect.stringContaining('Deployment, Namespace'),
    ]);
  });

  it('changes and deletes objects with their documents', async () => {
    const { api, put, names } = await aWatchedFolder(
      {},
      { 'a.yaml': `${anIngress('a')}---\n${anIngress('b')}` },
    );
    await put('a.yaml', anIngress('a', '', 'other'));
    expect(await names()).toEqual(['Ingress a']);
    const ingress = await api.get(ingresses, key('a'));
    expect(ingress.spec?.defaultBackend?.service?.name).toBe('other');
    await put('a.yaml');
    expect(await names()).toEqual([]);
  });

  it('moves an object from file to file without a change', async () => {
    const { api, dir, watch, put, names } = await aWatchedFolder({}, { 'a.yaml': anIngress('a') });
    const before = await api.get(ingresses, key('a'));
    renameSync(join(dir, 'a.yaml'), join(dir, 'z.yaml'));
    await watch.sync();
    expect(await api.get(ingresses, key('a'))).toEqual(before);
    await put('z.yaml');
    expect(await names()).toEqual([]);
  });

  it('deletes what went, and makes what came, while Postern was down', async () => {
    const dir = aFolder();
    const api = anEmbeddedApi();
    const first = await aWatchedFolder({ dir, api }, { 'a.yaml': anIngress('a'), 'b.yaml': anIngress('b') });
    await first.watch.stop();
    rmSync(join(dir, 'a.yaml'));
    writeFileSync(join(dir, 'c.yaml'), anIngress('c'));
    await api.delete(ingresses, key('b'));
    const second = await aWatchedFolder({ dir, api });
    expect(await second.names()).toEqual(['Ingress b', 'Ingress c']);
  });
});

describe('what others did to a declared object', () => {
  const manifest = (annotation: string): string =>
    anIngress('a', `  annotations:\n    example.com/mine: "${annotation}"\n    example.com/gone: x\n`);

  async function editedByOthers(): Promise<Fixture> {
    const fixture = await aWatchedFolder({}, { 'a.yaml': manifest('1') });
    const { api } = fixture;
    await api.mergePatch(ingresses, key('a'), {
      metadata: { annotations: { 'example.com/theirs': '1' }, finalizers: ['example.com/f'] },
      spec: { rules: [{ host: 'solver.example' }] },
    });
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    await api.mergePatch(ingresses, key('a'), { status }, { subresource: 'status' });
    return fixture;
  }

  it('stays while the manifest is as it was, over a restart too', async () => {
    const { api, dir, watch } = await editedByOthers();
    const before = await api.get(ingresses, key('a'));
    await watch.sync();
    await watch.stop();
    await aWatchedFolder({ dir, api });
    expect(await api.get(ingresses, key('a'))).toEqual(before);
  });

  it('stays beside what the manifest changes', async () => {
    const { api, put } = await editedByOthers();
    await put('a.yaml', manifest('2').replace('    example.com/gone: x\n', ''));
    const { metadata, spec, status }: Ingress = await api.get(ingresses, key('a'));
    expect(metadata.annotations).toEqual({ 'example.com/mine': '2', 'example.com/theirs': '1' });
    expect(metadata.finalizers).toEqual(['example.com/f']);
    expect(spec?.rules).toEqual([{ host: 'solver.example' }]);
    expect(status?.loadBalancer?.ingress).toEqual([{ ip: '192.0.2.1' }]);
  });

  it('gives way where the manifest says so', async () => {
    const { api, put } = await editedByOthers();
    await put('a.yaml', `${manifest('1')}  rules: [{ host: mine.example }]\n`);
    expect((await api.get(ingresses, key('a'))).spec?.rules).toEqual([{ host: 'mine.example' }]);
  });

  it('is taken over, where the object was there before its manifest', async () => {
    const { api, put } = await aWatchedFolder();
    const data = { 'tls.crt': 'YQ==', 'tls.key': 'Yg==' };
    await api.create(secrets, { metadata: key('s'), type: 'kubernetes.io/tls', data });
    await put(
      's.yaml',
      'apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: { name: s, labels: { a: b } }\n',
    );
    expect(await api.get(secrets, key('s'))).toMatchObject({ data, metadata: { labels: { a: 'b' } } });
  });

  it('is not deleted with the file, where the object is another one by now', async () => {
    const { api, put, names } = await aWatchedFolder({}, { 'a.yaml': anIngress('a') });
    const { metadata, ...rest } = await api.get(ingresses, key('a'));
    await api.delete(ingresses, key('a'));
    await api.create(ingresses, { ...rest, metadata: key(metadata.name ?? '') });
    await put('a.yaml');
    expect(await names()).toEqual(['Ingress a']);
  });

  it('waits for the end of a deletion before the object is made again', async () => {
    const clock = manualClock();
    const { api, put, watch } = await aWatchedFolder({ clock }, { 'a.yaml': anIngress('a') });
    await api.mergePatch(ingresses, key('a'), { metadata: { finalizers: ['example.com/f'] } });
    const { uid } = (await api.get(ingresses, key('a'))).metadata;
    await put('a.yaml');
    await put('a.yaml', anIngress('a', '', 'other'));
    expect((await api.get(ingresses, key('a'))).metadata).toMatchObject({ uid, deletionTimestamp: /./ });
    await api.mergePatch(ingresses, key('a'), { metadata: { finalizers: null } });
    clock.advance(1_000);
    await watch.sync();
    const made = await api.get(ingresses, key('a'));
    expect(made.metadata.uid).not.toBe(uid);
    expect(made.spec?.defaultBackend?.service?.name).toBe('other');
  });
});

describe('a manifest that is wrong', () => {
  it('is named with file, line and column, deletes nothing, and the others work on', async () => {
    const { put, problems, names, logged } = await aWatchedFolder({}, { 'a.yaml': anIngress('a') });
    await put('a.yaml', `${anIngress('a')}  rules: [\n`);
    await put('b.yaml', anIngress('b'));
    expect(problems()).toEqual([expect.stringMatching(/^a\.yaml:\d+:\d+: does not parse: .+/)]);
    expect(await names()).toEqual(['Ingress a', 'Ingress b']);
    expect(logged.filter(line => line.includes('does not parse'))).toHaveLength(1);
    await put('a.yaml', anIngress('c'));
    expect(problems()).toEqual([]);
    expect(await names()).toEqual(['Ingress b', 'Ingress c']);
  });

  it('is named with the line of the field that the store refuses', async () => {
    const { put, problems, names, api } = await aWatchedFolder(
      {},
      { 'a.yaml': `${aService('a')}---\n${aService('b')}` },
    );
    await put('a.yaml', `${aService('a', '81')}---\n${aService('b', '99999')}`);
    expect(problems()).toEqual([
      expect.stringMatching(/^a\.yaml:19:7: Service "default\/b": spec\.ports\[0\]\.port 99999 must be/),
    ]);
    expect(await names()).toEqual(['Service a', 'Service b']);
    expect((await api.get(services, key('a'))).spec?.ports?.[0]?.port).toBe(81);
    expect((await api.get(services, key('b'))).spec?.ports?.[0]?.port).toBe(80);
  });

  it('keeps the object whose kind was misspelt', async () => {
    const { put, problems, names } = await aWatchedFolder(
      {},
      { 'a.yaml': `${anIngress('a')}---\n${anIngress('b')}` },
    );
    await put('a.yaml', anIngress('a').replace('kind: Ingress', 'kind: Ingres'));
    expect(problems()).toEqual([
      expect.stringMatching(/^a\.yaml:2:1: Ingres of networking\.k8s\.io\/v1 is not/),
    ]);
    expect(await names()).toEqual(['Ingress a']);
  });

  it('keeps all of its file where what it declares cannot be told', async () => {
    const { put, problems, names } = await aWatchedFolder({}, { 'a.yaml': anIngress('a') });
    await put('a.yaml', anIngress('a').replace('name: a', 'nme: a'));
    expect(problems()).toEqual([expect.stringContaining('metadata.name of the Ingress is missing')]);
    expect(await names()).toEqual(['Ingress a']);
  });

  it('declares something again: the first by path counts', async () => {
    const { put, problems, api } = await aWatchedFolder(
      {},
      {
        'b.yaml': anIngress('a', '', 'from-b'),
        'c.yaml': anIngress('a', '', 'from-c'),
      },
    );
    const backend = async () => (await api.get(ingresses, key('a'))).spec?.defaultBackend?.service?.name;
    expect(await backend()).toBe('from-b');
    expect(problems()).toEqual([
      expect.stringMatching(/^c\.yaml:1:1: Ingress "default\/a" is declared in .*b\.yaml:1/),
    ]);
    await put('b.yaml', 'broken: [');
    expect(await backend()).toBe('from-b');
    await put('b.yaml');
    expect(await backend()).toBe('from-c');
    expect(problems()).toEqual([]);
  });

  it('can be read from another process, and is told once', async () => {
    const stateDir = aFolder();
    const api = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger });
    onTestFinished(() => api.close());
    const { put, watch } = await aWatchedFolder({ api }, { 'a.yaml': 'kind: [' });
    const reader = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger, readOnly: true });
    expect(readManifestProblems(reader)).toEqual(watch.problems());
    expect(readManifestProblems(reader)).toHaveLength(1);
    await put('a.yaml', '');
    expect(readManifestProblems(reader)).toEqual([]);
    await reader.close();
  });

  it('is not quoted where it holds a Secret', async () => {
    const { logged, watch } = await aWatchedFolder(
      {},
      {
        'a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: { name: a }\ndata: { password: "hunter2!" }\n',
        'b.yaml':
          'apiVersion: v1\nkind: Secret\nmetadata: { name: b }\nstringData: { password: hunter2: x }\n',
      },
    );
    expect(watch.problems()).toHaveLength(2);
    expect(JSON.stringify([logged, watch.problems()])).not.toContain('hunter2');
  });
});

describe('the folder itself', () => {
  it('deletes nothing where it cannot be read', async () => {
    const { dir, watch, problems, names } = await aWatchedFolder({}, { 'a.yaml': anIngress('a') });
    renameSync(dir, `${dir}-away`);
    await watch.sync();
    expect(await names()).toEqual(['Ingress a']);
    expect(problems()).toEqual([expect.stringContaining('cannot be read: ENOENT')]);
    renameSync(`${dir}-away`, dir);
    await watch.sync();
    expect(problems()).toEqual([]);
  });

  it('may be a mounted ConfigMap, whose versions are exchanged by a link', async () => {
    const dir = aFolder();
    for (const version of ['1', '2']) {
      mkdirSync(join(dir, `..${version}`));
      writeFileSync(join(dir, `..${version}`, 'a.yaml'), anIngress('a', '', `web-${version}`));
    }
    symlinkSync('..1', join(dir, '..data'));
    symlinkSync('..data/a.yaml', join(dir, 'a.yaml'));
    const { api, watch } = await aWatchedFolder({ dir });
    const backend = async () => (await api.get(ingresses, key('a'))).spec?.defaultBackend?.service?.name;
    expect(await backend()).toBe('web-1');
    symlinkSync('..2', join(dir, '..new'));
    renameSync(join(dir, '..new'), join(dir, '..data'));
    await watch.sync();
    expect(await backend()).toBe('web-2');
  });

  it('is watched: a change is applied by itself, an atomic rename and a new sub-folder too', async () => {
    const { api, dir } = await aWatchedFolder({ clock: systemClock });
    const { resourceVersion } = await api.list(ingresses);
    const signal = AbortSignal.timeout(5_000);
    const told: string[] = [];
    const steps: (() => void)[] = [
      () => writeFileSync(join(dir, 'a.yaml'), anIngress('a')),
      () => {
        writeFileSync(join(dir, '.a.yaml.tmp'), anIngress('a', '', 'other'));
        renameSync(join(dir, '.a.yaml.tmp'), join(dir, 'a.yaml'));
      },
      () => {
        mkdirSync(join(dir, 'sub'));
        writeFileSync(join(dir, 'sub', 'b.yaml'), anIngress('b'));
      },
      () => writeFileSync(join(dir, 'sub', 'b.yaml'), anIngress('b', '', 'other')),
      () => rmSync(join(dir, 'sub'), { recursive: true }),
    ];
    steps.shift()?.();
    for await (const event of api.watch(ingresses, { resourceVersion, timeoutSeconds: 5, signal })) {
      if (event.type === 'BOOKMARK') break;
      told.push(`${event.type} ${event.object.metadata.name ?? ''}`);
      const next = steps.shift();
      if (next === undefined) break;
      next();
    }
    expect(told).toEqual(['ADDED a', 'MODIFIED a', 'ADDED b', 'MODIFIED b', 'DELETED b']);
  });

  it('is looked at every 10 seconds, where nobody tells of changes', async () => {
    const clock = manualClock();
    const { api, dir } = await aWatchedFolder({ clock });
    const { resourceVersion } = await api.list(ingresses);
    const signal = AbortSignal.timeout(5_000);
    const events = api.watch(ingresses, { resourceVersion, timeoutSeconds: 5, signal });
    writeFileSync(join(dir, 'a.yaml'), anIngress('a'));
    clock.advance(10_000);
    const { value } = await events[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
  });
});

describe('problems', () => {
  it('reach the one who asked for them', async () => {
    const dir = aFolder();
    writeFileSync(join(dir, 'a.yaml'), 'kind: Ingress\n');
    const heard: ManifestProblem[] = [];
    const watch = watchManifests({
      dir,
      api: anEmbeddedApi(),
      clock: manualClock(),
      logger: silentLogger,
      onProblem: problem => heard.push(problem),
    });
    onTestFinished(() => watch.stop());
    await watch.ready;
    await watch.sync();
    expect(heard).toEqual([
      {
        file: join(dir, 'a.yaml'),
        line: 1,
        column: 1,
        message: expect.stringContaining('apiVersion') as string,
      },
    ]);
  });
});

describe('custom resources', () => {
  it('are declared as they are in a cluster, defaults and checks included', async () => {
    const certificate = `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: a }
spec:
  dnsNames: [a.example]
  issuerRef: { name: ca }
`;
    const { api, put, problems } = await aWatchedFolder({}, { 'a.yaml': certificate });
    expect(problems()).toEqual([
      expect.stringMatching(/^a\.yaml:4:1: Certificate "default\/a": spec\.secretName/),
    ]);
    await put('a.yaml', `${certificate}  secretName: a-tls\n`);
    expect(problems()).toEqual([]);
    const made: Certificate = await api.get(certificates, key('a'));
    expect(made.spec.secretName).toBe('a-tls');
  });
});
