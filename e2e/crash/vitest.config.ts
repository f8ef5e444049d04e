import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The crash sweep on a real API server: too long for every run of the suites. `make test-crash`. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..'),
    include: ['crash/*.sweep.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
  },
});
