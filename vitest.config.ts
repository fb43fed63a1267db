import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { WaitersFirst } from './test/support/waiters-first.ts'

// Programs and threads of ours are started hundreds of times: each file of theirs is stripped of its types once.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url))

// Machines are shared: what is waited for may take long, and no test asserts how long.
const patience = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } } }

/** Integration tests that drive a browser. */
const browsers = 'test/integration/{awkward-producer,gateway-media}.test.ts'

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    sequence: { sequencer: WaitersFirst },
    projects: [
      {
        // More files at a time than processors: half of them wait for a camera, a clock or a disk.
        test: {
          name: 'parts',
          include: ['test/{unit,fuzz,integration}/**/*.test.ts'],
          exclude: [browsers],
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
          ...patience,
        },
      },
      {
        // Browsers with moving pictures: one file at a time, or they take each other's processor.
        test: {
          name: 'house',
          include: ['test/e2e/**/*.test.ts', browsers],
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
