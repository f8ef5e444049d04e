import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configMaps } from '../../api/kubernetes/core.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { describeKubeApi } from '../contract.testing.ts';
import { openEmbeddedApi } from './open.ts';

describeKubeApi('embedded', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'postern-contract-'));
  const api = openEmbeddedApi({
    stateDir,
    clock: systemClock,
    logger: silentLogger,
    history: { versions: 1_000, ageMs: 3_600_000 },
  });
  return {
    api,
    async expiredVersion() {
      const { resourceVersion } = await api.list(configMaps);
      const namespace = 'contract-history';
      await Promise.all(
        Array.from({ length: 1_001 }, () =>
          api.create(configMaps, { metadata: { namespace, generateName: 'filler-' } }),
        ),
      );
      await api.tidy();
      return resourceVersion;
    },
    async close() {
      await api.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
});
