import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// The compiled form of the program is kept beside it, for a start in a third of the time. Nowhere else: whoever can write
// to a shared temporary folder could put other code there. Where the folder cannot be written to, there is no cache.
if (import.meta.url.endsWith('.js')) enableCompileCache(fileURLToPath(new URL('.cache', import.meta.url)));

await import('./program.ts');
