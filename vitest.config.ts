import { defineConfig } from 'vitest/config';

/** Unit and contract tests; the suites on real servers have their own configuration in e2e/. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    testTimeout: 60_000,
    // Two hundred files share what they import: a run of its own for each would take twice the time. The code keeps no state
    // in its modules that a test could trip over.
    isolate: false,
  },
});
