/** Kinds of packages, in the words of the API: what each is called in its own ecosystem, and how its versions compare. */
export const PACKAGE_TYPES = [
  'APK',
  'DEB',
  'RPM',
  'NPM',
  'PYPI',
  'GO',
  'MAVEN',
  'GEM',
  'CARGO',
  'NUGET',
  'COMPOSER',
] as const;
export type PackageType = (typeof PACKAGE_TYPES)[number];
