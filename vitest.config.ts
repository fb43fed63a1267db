import { defineConfig } from 'vitest/config'

// Machines are shared: what is waited for may take long, and no test asserts how long.
const patience = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } } }

/** Mostly waiting, and each waits for all that it sends: they stand others beside them. */
const attacks = 'test/integration/attacks/*-on-*.test.ts'

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          name: 'parts',
          include: ['test/{unit,fuzz}/**/*.test.ts', attacks],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          ...patience,
        },
      },
      {
        // Whole programs and browsers: one file at a time, or they take each other's processor.
        test: {
          name: 'house',
          include: ['test/{integration,e2e}/**/*.test.ts'],
          exclude: [attacks],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          ...patience,
        },
      },
      {
        // Long runs: `npm run soak`.
        test: {
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          ...patience,
        },
      },
    ],
  },
})
