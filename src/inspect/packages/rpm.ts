import { RegistryError } from '../../domain/errors.ts';
import { foundPackage, type FoundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';
import { berkeleyDbHeaders } from './rpm-berkeley-db.ts';
import { readRpmHeader } from './rpm-header.ts';
import { ndbHeaders } from './rpm-ndb.ts';
import { sqliteHeaders } from './rpm-sqlite.ts';

/** What RPM has installed: its database, in each of the three forms that it has had. Keys of signatures are left out. */
export const rpm: DocumentReader = {
  recognises: (path) => FORM.test(path),
  read(path, bytes) {
    const headers = HEADERS_BY_FILE[FORM.exec(path)?.[1] ?? ''];
    return collect(headers?.(bytes, path).map((header) => packageOf(header, path)) ?? [], path);
  },
};

const FORM = /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm)\/(Packages|Packages\.db|rpmdb\.sqlite)$/;

const HEADERS_BY_FILE: Readonly<Record<string, (bytes: Uint8Array, path: string) => IteratorObject<Uint8Array>>> = {
  Packages: berkeleyDbHeaders,
  'Packages.db': ndbHeaders,
  'rpmdb.sqlite': sqliteHeaders,
};

function packageOf(bytes: Uint8Array, path: string): FoundPackage | null {
  const header = readRpmHeader(bytes);
  if (header === null) throw new RegistryError('MALFORMED', `${path} holds a package whose header can't be read`);
  const { name, epoch, version, release, architecture, license } = header;
  if (name === 'gpg-pubkey') return null;
  return foundPackage({
    type: 'RPM',
    name,
    version: `${epoch === null ? '' : `${epoch}:`}${version}-${release}`,
    architecture,
    licenses: [license],
  });
}
