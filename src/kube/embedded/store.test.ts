import { describe, expect, it, onTestFinished } from 'vitest';
import { configMaps } from '../../api/kubernetes/core.ts';
import type { KubeObject } from '../../api/meta.ts';
import { systemClock } from '../../core/clock.ts';
import { openDatabase } from './database.ts';
import { embeddedResources } from './resources.ts';
import { stateFilesIn } from './state-folder.ts';
import { aStateFolder } from './store.testing.ts';
import { openStore, type Store, servedResources } from './store.ts';

function aStore(): Store {
  const database = openDatabase(stateFilesIn(aStateFolder()), { readOnly: false });
  onTestFinished(() => database.close());
  return openStore(database, servedResources(embeddedResources), systemClock);
}

const named = (name: string, generateName?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, ...(generateName !== undefined && { generateName }) },
});

/** Makes objects of these names in turn, the last one for ever. */
function making(names: readonly string[], generateName?: string): { make: () => KubeObject; made: number } {
  const maker = {
    made: 0,
    make: () => named(names[Math.min(maker.made++, names.length - 1)] ?? '', generateName),
  };
  return maker;
}

describe('a name', () => {
  it('that was made up and is taken is made up again', () => {
    const store = aStore();
    store.create(configMaps, () => named('a-1'));
    const maker = making(['a-1', 'a-1', 'a-2'], 'a-');
    expect(store.create(configMaps, maker.make).metadata.name).toBe('a-2');
  });

  it.each([
    ['that is made up and taken eight times', 'a-', 8],
    ['that was chosen and is taken', undefined, 1],
  ])('%s is refused', (_what, generateName, tries) => {
    const store = aStore();
    store.create(configMaps, () => named('a-1'));
    const maker = making(['a-1'], generateName);
    expect(() => store.create(configMaps, maker.make)).toThrow(
      expect.objectContaining({ code: 'KUBE_ALREADY_EXISTS' }),
    );
    expect(maker.made).toBe(tries);
  });
});
