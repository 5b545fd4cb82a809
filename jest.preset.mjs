// One preset for every room: swc strips types, ESM stays ESM, and @sidestep/* resolves to sources so that no test runs a stale build.
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));

/** @returns {import('jest').Config} */
export const preset = (displayName) => ({
  displayName,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      `${root}node_modules/@swc/jest/index.js`,
      {
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      },
    ],
  },
  moduleNameMapper: {
    '^@sidestep/core$': `${root}packages/core/src/index.ts`,
    '^@sidestep/kube$': `${root}packages/kube/src/index.ts`,
    '^@sidestep/phase-queue$': `${root}packages/phase-queue/src/index.ts`,
    '^@sidestep/controller$': `${root}packages/controller/src/index.ts`,
    '^@sidestep/migration-agent$': `${root}packages/migration-agent/src/index.ts`,
    '^@sidestep/observability$': `${root}packages/observability/src/index.ts`,
    '^@sidestep/testkit$': `${root}packages/testkit/src/index.ts`,
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testMatch: ['<rootDir>/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
});
