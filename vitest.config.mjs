import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The addon must live in both: `--pool threads` runs the lifecycle suite once more.
    pool: 'forks',
    // Four times what the slowest needs where they were written: a machine may be slow, or busy with other work.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          // Needs no server.
          name: 'facade',
          include: ['__test__/vitest/**/*.test.{mjs,cjs,ts}'],
          exclude: ['__test__/vitest/lifecycle/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['__test__/vitest/lifecycle/*.test.mjs', '__test__/{api,cli}/*.test.mjs'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'graphs',
          include: ['__test__/{api,cli}/graph/*.test.mjs', '__test__/api/{adoption,application}/*.test.mjs'],
          // There is one Neo4j, which belongs to one database at a time.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'readme',
          include: ['__test__/readme/*.test.mjs'],
          // One of its examples uses that Neo4j.
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
