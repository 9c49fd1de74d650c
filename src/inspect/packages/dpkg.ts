import { foundPackage, type FoundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';
import { fieldOf, stanzas, type Stanza } from './stanzas.ts';

/**
 * What dpkg has installed, and the same by single files as distroless images have it. Neither tells the licence.
 * https://manpages.debian.org/stable/dpkg/dpkg-query.1.en.html#status
 */
export const dpkg: DocumentReader = {
  recognises: (path) => /^var\/lib\/dpkg\/(?:status|status\.d\/[^/]+(?<!\.md5sums))$/.test(path),
  maxBytes: 16 * 1024 * 1024,
  read: (path, bytes) => collect(stanzas(bytes, FIELDS).filter(isInstalled).map(packageOf), path),
};

const FIELDS: ReadonlySet<string> = new Set(['Package', 'Status', 'Version', 'Architecture']);

/** Want, flag and status, such as "install ok installed"; those of distroless have no such field. */
function isInstalled(stanza: Stanza): boolean {
  const status = fieldOf(stanza, 'Status');
  return status === '' || status.split(/\s+/)[2] === 'installed';
}

function packageOf(stanza: Stanza): FoundPackage | null {
  return foundPackage({
    type: 'DEB',
    name: fieldOf(stanza, 'Package'),
    version: fieldOf(stanza, 'Version'),
    architecture: fieldOf(stanza, 'Architecture'),
  });
}
