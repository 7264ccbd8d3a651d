/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/__test__/jest/**/*.test.cjs'],
  // The package is tested as it is shipped: nothing is compiled or renamed.
  transform: {},
  modulePathIgnorePatterns: ['<rootDir>/examples/', '<rootDir>/target/'],
  testTimeout: 30_000,
};
