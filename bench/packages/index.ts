import { benchAnswers, type AnswersBench } from '../answers.ts';

/** Asks for images by what they hold, and for what that is. */
export function benchPackages(bench: AnswersBench, serverUrl: string | undefined): Promise<void> {
  return benchAnswers(bench, QUESTIONS, [PACKAGES], serverUrl);
}

const PACKAGES = new URL('packages.sql', import.meta.url);

/** Every image has an openssl, of one of 40 versions; few have one version of a package of a language. */
const FILTERS: readonly string[] = [
  '{ package: { name: "openssl" } }',
  '{ package: { name: "openssl", version: "<3.0.14" } }',
  '{ package: { name: "openssl", version: "3.0.7-r0" } }',
  '{ package: { name: "openssl", version: "<2" } }',
  '{ package: { name: "language-77", version: ">=1.3" } }',
  '{ package: { name: "language-77*", version: "<1.3" } }',
  '{ package: { type: NPM } }',
  '{ package: { name: "openssl", version: "<3.0.3" }, hasShell: true, runsAsRoot: false }',
  '{ not: { package: { name: "openssl", version: ">=3.0.2" } } }',
  '{ hasShell: false }',
  '{ operatingSystem: "alpine 3.7" }',
];

const QUESTIONS: readonly string[] = [
  ...FILTERS.map((filter) => `{ images(filter: ${filter}) { nodes { digest } } }`),
  ...FILTERS.slice(0, 5).map((filter) => `{ images(filter: ${filter}) { totalCount } }`),
  '{ images(orderBy: { field: WASTED_SIZE }) { nodes { digest contents { wastedSize } } } }',
  '{ packages(filter: { name: "openssl", version: "<3.0.14" }) { nodes { version imageCount images(first: 5) { nodes { digest } } } } }',
  '{ images(first: 5) { nodes { contents { packages(first: 20) { edges { node { name } layer { position } isFromBase } } } } } }',
  '{ search(query: "language-77") { nodes { __typename } } }',
  '{ statistics { packages } }',
  ...['OPERATING_SYSTEM', 'PACKAGE_TYPE'].map((by) => `{ breakdown(by: ${by}) { key value } }`),
];
