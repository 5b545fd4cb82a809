export default {
  projects: ['packages/*', 'apps/*', 'e2e', 'bench', 'scripts'].map((room) => `<rootDir>/${room}/jest.config.mjs`),
};
