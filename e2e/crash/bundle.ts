import { join } from 'node:path';
import { rolldown } from 'rolldown';
import config from '../../rolldown.config.ts';

/** Bundles the process of a sweep as the program is: a sweep starts it a hundred times. Gives the file to run. */
export async function bundleProcess(dir: string): Promise<string> {
  const bundle = await rolldown({ ...config, input: join(import.meta.dirname, 'process.ts'), plugins: [] });
  await bundle.write({ dir, format: 'esm' });
  await bundle.close();
  return join(dir, 'process.js');
}
