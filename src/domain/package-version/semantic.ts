import { SemVer } from 'semver';
import type { VersionScheme } from './scheme.ts';

/** Semantic versions, as npm and Cargo have them. What is not written to the end ends in zeros. https://semver.org */
export const semanticVersions: VersionScheme<SemVer> = {
  parse: (text) => {
    const [, numbers, rest = ''] = /^[v=]?(\d+(?:\.\d+){0,2})((?:[-+].*)?)$/.exec(text) ?? [];
    return numbers === undefined ? null : parse(`${numbers}${'.0'.repeat(3 - numbers.split('.').length)}${rest}`);
  },
  compare: (a, b) => a.compare(b),
};

/**
 * Go's: semantic versions after a v, pseudo-versions among them, and those of Go itself, such as 1.22rc1.
 * https://go.dev/ref/mod#versions
 */
export const goVersions: VersionScheme<SemVer> = {
  ...semanticVersions,
  parse: (text) => semanticVersions.parse(text.replace(/^(?:go)?(\d+\.\d+(?:\.\d+)?)((?:beta|rc)\d+)$/, goRelease)),
};

function goRelease(_whole: string, numbers: string, stage: string): string {
  return `${numbers}-${stage.replace(/\d+$/, '.$&')}`;
}

function parse(text: string): SemVer | null {
  try {
    return new SemVer(text, { loose: true });
  } catch {
    return null;
  }
}
