import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// As in main.ts.
if (import.meta.url.endsWith('.js')) enableCompileCache(fileURLToPath(new URL('.cache', import.meta.url)));

const { systemClock } = await import('./core/clock.ts');
const { runWorker } = await import('./edge/workers/run-worker.ts');
runWorker(systemClock);
