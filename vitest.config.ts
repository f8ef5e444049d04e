import { defineConfig } from 'vitest/config';

/** Unit and contract tests; the suites on real servers have their own configuration in e2e/. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    testTimeout: 15_000,
  },
});
