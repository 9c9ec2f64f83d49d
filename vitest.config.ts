/**
 * Two kinds of tests. `unit`: plain code, in parallel, in seconds. `containers`: against the engine, one file after another, because load measured while
 * another cluster starts beside it says little. Nothing is tried twice: a test that fails now and then has something to say.
 */
import { defineConfig } from 'vitest/config';

const CONTAINER_TESTS = ['**/*.containers.test.ts', 'scenarios/**/*.test.ts'];
const NOT_OURS = ['**/node_modules/**', 'results/**'];

export default defineConfig({
  test: {
    retry: 0,
    passWithNoTests: false,
    reporters: ['default', './scripts/closing-line.ts'],
    projects: [
      { test: { name: 'unit', include: ['**/*.test.ts'], exclude: [...NOT_OURS, ...CONTAINER_TESTS], sequence: { groupOrder: 0 } } },
      {
        test: {
          name: 'containers',
          include: CONTAINER_TESTS,
          exclude: NOT_OURS,
          fileParallelism: false,
          // A cluster is up in seconds; a whole scenario with its fault and recovery takes one to two minutes.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
