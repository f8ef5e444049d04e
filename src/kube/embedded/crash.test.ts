import { spawn } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ConfigMap, configMaps } from '../../api/kubernetes/core.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { openEmbeddedApi } from './open.ts';
import { stateFilesIn } from './state-folder.ts';
import { aStateFolder } from './store.testing.ts';

const writer = fileURLToPath(new URL('crash-writer.testing.ts', import.meta.url));

/** Lets a process write until it has said so many lines, kills it, and gives back all that it said. */
function writeAndKill(stateDir: string, prefix: string, killAfterLines: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [writer, stateDir, prefix], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (said.split('\n').length > killAfterLines) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    child.on('error', reject);
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(said.split('\n').slice(0, -1));
      else reject(new Error(`the writer ended by itself: ${errors}`));
    });
  });
}

/** The step that an object shows, `'gone'` after the step that deletes it. */
function shownAfter(step: number): string {
  return step % 5 === 4 || step < 0 ? 'gone' : String(step);
}

describe('a process that is killed', () => {
  it('loses nothing that was acknowledged, at whatever moment', async () => {
    const stateDir = aStateFolder();
    const lastSteps = new Map<string, number>();
    let highest = 0;
    for (let round = 0; round < 12; round++) {
      const lines = await writeAndKill(stateDir, `round-${round}`, 1 + Math.floor(Math.random() * 400));
      for (const writer of [0, 1, 2, 3]) lastSteps.set(`round-${round}-${writer}`, -1);
      const before = highest;
      for (const line of lines.slice(1)) {
        const [name = '', step = '', version = ''] = line.split(' ');
        expect(Number(step)).toBe((lastSteps.get(name) ?? 0) + 1);
        lastSteps.set(name, Number(step));
        if (version === '') continue;
        // A version is never given out again, not even after a kill.
        expect(Number(version)).toBeGreaterThan(before);
        highest = Math.max(highest, Number(version));
      }

      const api = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger });
      const { items, resourceVersion } = await api.list(configMaps);
      await api.close();
      expect(Number(resourceVersion)).toBeGreaterThanOrEqual(highest);
      highest = Number(resourceVersion);
      const found = new Map<string, ConfigMap>(items.map(object => [object.metadata.name ?? '', object]));
      for (const [name, step] of lastSteps) {
        const shown = found.get(name)?.data?.['step'] ?? 'gone';
        // The write that was under way may have been stored or not; it is whole in either case.
        expect([shownAfter(step), shownAfter(step + 1)], name).toContain(shown);
        lastSteps.set(name, shown === shownAfter(step) ? step : step + 1);
        if (shown !== 'gone')
          expect(found.get(name)?.data?.['filling']).toBe('x'.repeat(Number(shown) % 500));
      }
      expect(new Set(items.map(object => object.metadata.resourceVersion)).size).toBe(items.length);
    }
    const database = new DatabaseSync(stateFilesIn(stateDir).database, { readOnly: true });
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  }, 120_000);
});
