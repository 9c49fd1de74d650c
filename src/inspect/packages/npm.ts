import { isObject, parseJsonObject, textOf, type Json } from '../../domain/json.ts';
import { foundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';

/** The package.json of what is installed, at the root of its folder. https://docs.npmjs.com/cli/configuring-npm/package-json */
export const npm: DocumentReader = {
  recognises: (path) => /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/.test(path),
  maxBytes: 4 * 1024 * 1024,
  read(path, bytes) {
    const { name, version, license, licenses } = parseJsonObject(bytes, path);
    return collect(
      [
        foundPackage({
          type: 'NPM',
          name: textOf(name) ?? '',
          version: textOf(version) ?? '',
          licenses: [license, ...(Array.isArray(licenses) ? licenses : [licenses])].flatMap(licenseOf),
        }),
      ],
      path,
    );
  },
};

/** A text; { type } in old ones, also in a list. */
function licenseOf(value: Json | undefined): string[] {
  return [textOf(isObject(value) ? value['type'] : value) ?? []].flat();
}
