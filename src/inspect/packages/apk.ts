import { foundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';
import { fieldOf, stanzas } from './stanzas.ts';

/** What apk has installed. https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2 */
export const apk: DocumentReader = {
  recognises: (path) => /^(?:usr\/)?lib\/apk\/db\/installed$/.test(path),
  maxBytes: 16 * 1024 * 1024,
  read: (path, bytes) =>
    collect(
      stanzas(bytes, FIELDS).map((stanza) =>
        foundPackage({
          type: 'APK',
          name: fieldOf(stanza, 'P'),
          version: fieldOf(stanza, 'V'),
          architecture: fieldOf(stanza, 'A'),
          licenses: [fieldOf(stanza, 'L')],
        }),
      ),
      path,
    ),
};

const FIELDS: ReadonlySet<string> = new Set(['P', 'V', 'A', 'L']);
