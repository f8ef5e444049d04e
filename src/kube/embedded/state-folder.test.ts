import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { configMaps } from '../../api/kubernetes/core.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { type EmbeddedApi, openEmbeddedApi } from './open.ts';
import { stateFilesIn } from './state-folder.ts';
import { anEmbeddedApi, aStateFolder } from './store.testing.ts';

const key = { namespace: 'default', name: 'a' };

function open(stateDir: string, readOnly = false): EmbeddedApi {
  return openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger, readOnly });
}

function modes(folder: string): Record<string, string> {
  const octal = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  const files = readdirSync(folder).map(name => [name, octal(join(folder, name))]);
  return { '.': octal(folder), ...(Object.fromEntries(files) as Record<string, string>) };
}

describe('the state folder', () => {
  it('can be read by its owner alone, whatever the umask', async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const stateDir = join(aStateFolder(), 'deep', 'state');
    const api = anEmbeddedApi({ stateDir });
    await api.create(secrets, { metadata: key, stringData: { password: 'p' } });
    const { '.': folder, ...files } = modes(stateDir);
    expect(folder).toBe('700');
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining(['state.db', 'state.db-wal', 'state.db-shm', 'lock.db']),
    );
    expect(new Set(Object.values(files))).toEqual(new Set(['600']));
  });

  it('is tightened where it is open to others', async () => {
    const stateDir = aStateFolder();
    await open(stateDir).close();
    chmodSync(stateDir, 0o755);
    for (const name of readdirSync(stateDir)) chmodSync(join(stateDir, name), 0o644);
    anEmbeddedApi({ stateDir });
    expect(new Set(Object.values(modes(stateDir)))).toEqual(new Set(['700', '600']));
  });

  it('is refused where it is open to others and not of our own', () => {
    const stateDir = aStateFolder();
    writeFileSync(join(stateDir, 'notes.txt'), '');
    chmodSync(stateDir, 0o755);
    expect(() => open(stateDir)).toThrow(
      expect.objectContaining({ code: 'STATE_FOLDER_UNUSABLE', retry: 'never' }),
    );
    expect(() => open(stateDir)).toThrow(/notes\.txt.*sub-folder/);
    expect(readdirSync(stateDir)).toEqual(['notes.txt']);
    expect(modes(stateDir)['.']).toBe('755');
  });

  it('is refused where it is a file, damaged, or of a newer layout', async () => {
    const parent = aStateFolder();
    writeFileSync(join(parent, 'file'), '');
    expect(() => open(join(parent, 'file'))).toThrow(
      expect.objectContaining({ code: 'STATE_FOLDER_UNUSABLE' }),
    );

    mkdirSync(join(parent, 'damaged'), { mode: 0o700 });
    writeFileSync(stateFilesIn(join(parent, 'damaged')).database, 'this is no database'.repeat(100));
    expect(() => open(join(parent, 'damaged'))).toThrow(/cannot be opened.*start anew/);

    const newer = join(parent, 'newer');
    await open(newer).close();
    const database = new DatabaseSync(stateFilesIn(newer).database);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => open(newer)).toThrow(/newer Postern/);
  });

  it('belongs to one store at a time, in this process and in others', async () => {
    const stateDir = aStateFolder();
    const first = open(stateDir);
    expect(() => open(stateDir)).toThrow(expect.objectContaining({ code: 'STATE_FOLDER_IN_USE' }));
    expect(() => open(stateDir)).toThrow(`${stateDir} is in use by another Postern (process ${process.pid})`);
    const writer = fileURLToPath(new URL('crash-writer.testing.ts', import.meta.url));
    const child = spawn(process.execPath, [writer, stateDir, 'x'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(errors).toContain(`${stateDir} is in use by another Postern (process ${process.pid})`);
    await first.close();
    await open(stateDir).close();
    expect(existsSync(stateFilesIn(stateDir).pid)).toBe(false);
  });

  it('can be read beside the process that has it, and after that was killed', async () => {
    const stateDir = aStateFolder();
    const writer = fileURLToPath(new URL('crash-writer.testing.ts', import.meta.url));
    const child = spawn(process.execPath, [writer, stateDir, 'x'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    await new Promise<void>(resolve => {
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk;
        if (said.split('\n').length > 20) resolve();
      });
    });
    const beside = open(stateDir, true);
    const seen = await beside.list(configMaps);
    expect(Number(seen.resourceVersion)).toBeGreaterThanOrEqual(10);
    await expect(beside.create(configMaps, { metadata: key })).rejects.toMatchObject({
      code: 'KUBE_FORBIDDEN',
    });
    await beside.close();
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    await ended;
    const after = open(stateDir, true);
    expect(Number((await after.list(configMaps)).resourceVersion)).toBeGreaterThanOrEqual(
      Number(seen.resourceVersion),
    );
    await after.close();
  });

  it('says so where there is nothing to read', () => {
    const stateDir = join(aStateFolder(), 'absent');
    expect(() => open(stateDir, true)).toThrow(expect.objectContaining({ code: 'STATE_FOLDER_EMPTY' }));
    expect(existsSync(stateDir)).toBe(false);
  });
});

describe('a store that is closed', () => {
  it('ends its watches cleanly and answers UNAVAILABLE from then on', async () => {
    const api = anEmbeddedApi();
    const { resourceVersion } = await api.list(configMaps);
    const signal = new AbortController().signal;
    const watch = api.watch(configMaps, { resourceVersion, timeoutSeconds: 300, signal });
    const end = watch[Symbol.asyncIterator]().next();
    await api.close();
    expect(await end).toEqual({ done: true, value: undefined });
    await expect(api.get(configMaps, key)).rejects.toMatchObject({ code: 'KUBE_UNAVAILABLE' });
    await expect(api.create(configMaps, { metadata: key })).rejects.toMatchObject({
      code: 'KUBE_UNAVAILABLE',
    });
  });
});

describe('records', () => {
  it('are kept beside the objects, collection by collection', async () => {
    const stateDir = aStateFolder();
    const first = open(stateDir);
    await first.records('one').set('b', '1');
    await first.records('one').set('a', '2');
    await first.records('one').set('b', '3');
    await first.records('two').set('a', 'other');
    await first.records('two').delete('a');
    await first.close();
    const again = anEmbeddedApi({ stateDir });
    expect(again.records('one').entries()).toEqual([
      ['a', '2'],
      ['b', '3'],
    ]);
    expect(again.records('two').get('a')).toBeUndefined();
  });
});

describe('objects given out', () => {
  it('cannot be changed', async () => {
    const api = anEmbeddedApi();
    const created = await api.create(configMaps, {
      metadata: { ...key, labels: { a: 'b' } },
      data: { a: 'b' },
    });
    expect(() => Object.assign(created.metadata.labels ?? {}, { a: 'c' })).toThrow(TypeError);
    const { items } = await api.list(configMaps);
    expect(() => Object.assign(items[0]?.data ?? {}, { a: 'c' })).toThrow(TypeError);
    expect((await api.get(configMaps, key)).data).toEqual({ a: 'b' });
  });
});
