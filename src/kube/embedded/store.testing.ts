import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { type EmbeddedApi, type EmbeddedOptions, openEmbeddedApi } from './open.ts';

/** A state folder for one test, removed after it. */
export function aStateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-state-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An embedded store for one test, closed and removed after it. */
export function anEmbeddedApi(options: Partial<EmbeddedOptions> = {}): EmbeddedApi {
  const stateDir = options.stateDir ?? aStateFolder();
  const api = openEmbeddedApi({ clock: systemClock, logger: silentLogger, ...options, stateDir });
  onTestFinished(() => api.close());
  return api;
}
