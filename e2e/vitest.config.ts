import { defineConfig } from 'vitest/config';

/** The suites on real servers: `node e2e/netns.ts -- vitest run --config e2e/vitest.config.ts`. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts', '**/*.e2e.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false, // each file may run a control plane of its own, and two cores are little
  },
});
