import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['__test__/vitest/**/*.test.{mjs,cjs,ts}'],
    // The addon must live in both: `--pool threads` runs the lifecycle suite once more.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
