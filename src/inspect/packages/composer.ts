import { isObject, parseJson, textOf, type Json } from '../../domain/json.ts';
import { foundPackage, type FoundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';

/** What Composer installed: a list, since Composer 2 as the member of an object. */
export const composer: DocumentReader = {
  recognises: (path) => /(?:^|\/)vendor\/composer\/installed\.json$/.test(path),
  maxBytes: 4 * 1024 * 1024,
  read(path, bytes) {
    const document = parseJson(bytes, path);
    const packages = isObject(document) ? document['packages'] : document;
    return collect((Array.isArray(packages) ? packages : []).map(packageOf), path);
  },
};

function packageOf(value: Json): FoundPackage | null {
  if (!isObject(value)) return null;
  const { name, version, license } = value;
  return foundPackage({
    type: 'COMPOSER',
    name: textOf(name) ?? '',
    version: textOf(version) ?? '',
    licenses: (Array.isArray(license) ? license : [license]).flatMap((one) => textOf(one) ?? []),
  });
}
