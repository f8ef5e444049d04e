import { writeSync } from 'node:fs';
import { configMaps } from '../../api/kubernetes/core.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { openEmbeddedApi } from './open.ts';

/*
 * A process for the crash test: `node crash-writer.testing.ts <state folder> <prefix>`. Several writers each
 * go round with an object of their own: create, three updates, delete. What the store has acknowledged is told
 * at once on standard output: `<name> <step> <resourceVersion>`. It goes on until it is killed.
 */

const [, , stateDir = '', prefix = ''] = process.argv;
const api = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger });
writeSync(1, 'open\n');

async function goRound(name: string): Promise<never> {
  const key = { namespace: 'default', name };
  for (let step = 0; ; step++) {
    const data = { step: String(step), filling: 'x'.repeat(step % 500) };
    let version = '';
    if (step % 5 === 0) {
      version = (await api.create(configMaps, { metadata: key, data })).metadata.resourceVersion ?? '';
    } else if (step % 5 < 4) {
      version = (await api.mergePatch(configMaps, key, { data })).metadata.resourceVersion ?? '';
    } else {
      await api.delete(configMaps, key);
    }
    writeSync(1, `${name} ${step} ${version}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(writer => goRound(`${prefix}-${writer}`)));
