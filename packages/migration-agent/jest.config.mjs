import { preset } from '../../jest.preset.mjs';

export default { ...preset('migration-agent'), globalSetup: '<rootDir>/jest.setup.mjs' };
