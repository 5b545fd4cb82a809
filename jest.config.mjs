export default {
  // A deadline against hanging, never a measure of speed.
  testTimeout: 120_000,
  projects: ['packages/*', 'apps/*', 'e2e', 'bench', 'scripts'].map((room) => `<rootDir>/${room}/jest.config.mjs`),
};
