import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

/**
 * Builds `dist/`: the program and what it uses of its packages in a few files, which start in a third of the time that
 * the packages' two thousand modules take, and need no node_modules (docs/adr/0014).
 */
export default defineConfig({
  // The second one is started as a thread.
  input: {
    main: 'src/main.ts',
    'edge-worker': 'src/edge-worker.ts',
    'password-thread': 'src/edge/policy/passwords/password-thread.ts',
  },
  platform: 'node',
  output: {
    dir: 'dist',
    format: 'esm',
    cleanDir: true,
    minify: { compress: false, mangle: false, codegen: true },
  },
  treeshake: {
    // Its models of every Kubernetes kind are not used, and do nothing when they are loaded.
    moduleSideEffects: [
      { test: /@kubernetes\/client-node\/dist\//, sideEffects: false },
      { test: /./, sideEffects: true },
    ],
  },
  plugins: [licenses()],
});

/** Writes `licenses.txt`: the licences of all packages of which something is in the bundle. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const id of Object.keys(chunk.modules)) {
          const folder = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
          if (folder !== undefined) folders.add(folder);
        }
      }
      const source = [...folders].sort().map(licenseOf).join('\n\n');
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source });
    },
  };
}

function licenseOf(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const file = existsSync(folder) ? readdirSync(folder).find(name => /^licen[cs]e/i.test(name)) : undefined;
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
  return `==== ${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})\n\n${text}\n`;
}
