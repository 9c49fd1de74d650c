import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Writes coverage/results.json, by which .ci/run sees what passed, and what was skipped that must not be. */
export default class Report {
  #root;

  constructor({ rootDir }) {
    this.#root = rootDir;
  }

  onRunComplete(_, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, testResults }) {
    const skipped = testResults.flatMap(({ testFilePath, testResults: tests }) =>
      tests
        .filter(({ status }) => status === 'pending')
        .map(({ fullName }) => `${relative(join(this.#root, 'test'), testFilePath)}: ${fullName}`),
    );
    const results = { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites, skipped };
    mkdirSync(join(this.#root, 'coverage'), { recursive: true });
    writeFileSync(join(this.#root, 'coverage/results.json'), JSON.stringify(results, null, 2));
  }
}
