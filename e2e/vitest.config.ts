import { defineConfig } from 'vitest/config';

/** The suites on real servers: `node e2e/netns.ts -- vitest run --config e2e/vitest.config.ts`. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts', '**/*.e2e.ts'],
    // For the servers, which are written in Go and have memory to spare: it is collected less often, and costs less time.
    env: { GOGC: '400' },
    testTimeout: 120_000,
    hookTimeout: 240_000,
    isolate: false, // what files share is imported once for all that are in one run
    fileParallelism: false, // each file may run a control plane of its own, and two cores are little
  },
});
