import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    dir: import.meta.dirname,
    globalSetup: './__test__/embedded/template.mjs',
    pool: 'forks',
    // Each file starts processes of its own that each load Postgres: one after the other is faster.
    fileParallelism: false,
    testTimeout: 360_000,
    hookTimeout: 120_000,
  },
});
