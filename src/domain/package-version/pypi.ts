import { compare, valid } from '@renovatebot/pep440';
import type { VersionScheme } from './scheme.ts';

/** PEP 440. https://packaging.python.org/en/latest/specifications/version-specifiers/ */
export const pypiVersions: VersionScheme<string> = {
  parse: valid,
  compare,
  /** A condition that names no local version is about all of them: 2.1 about 2.1+cu118. */
  compareToLimit: (version, limit) => compare(limit.includes('+') ? version : version.replace(/\+.*$/, ''), limit),
};
