import { foundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';
import { fieldOf, stanzas, type Stanza } from './stanzas.ts';

/** The metadata of an installed distribution. https://packaging.python.org/en/latest/specifications/core-metadata/ */
export const python: DocumentReader = {
  recognises: (path) => /(?:\.dist-info\/METADATA|(?:\.egg-info|(?:^|\/)EGG-INFO)\/PKG-INFO|\.egg-info)$/.test(path),
  maxBytes: 4 * 1024 * 1024,
  read(path, bytes) {
    const [headers] = stanzas(bytes, FIELDS);
    return collect(
      [
        foundPackage({
          type: 'PYPI',
          name: fieldOf(headers, 'Name'),
          version: fieldOf(headers, 'Version'),
          licenses: [licenseOf(headers)],
        }),
      ],
      path,
    );
  },
};

const FIELDS: ReadonlySet<string> = new Set(['Name', 'Version', 'License', 'License-Expression']);

/** The older field may hold the whole text of a licence, or say that nobody wrote one. */
function licenseOf(headers: Stanza | undefined): string {
  const expression = fieldOf(headers, 'License-Expression');
  if (expression !== '') return expression;
  const license = fieldOf(headers, 'License');
  return license.includes('\n') || license === 'UNKNOWN' ? '' : license;
}
