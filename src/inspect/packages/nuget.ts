import { isObject, parseJsonObject } from '../../domain/json.ts';
import { foundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';

/** What a .NET application was published with. https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md */
export const nuget: DocumentReader = {
  recognises: (path) => path.endsWith('.deps.json'),
  maxBytes: 4 * 1024 * 1024,
  read(path, bytes) {
    const { libraries } = parseJsonObject(bytes, path);
    return collect(
      Object.entries(isObject(libraries) ? libraries : {}).map(([id, library]) => {
        const [name = '', version = ''] = id.split('/');
        return isObject(library) && library['type'] === 'package'
          ? foundPackage({ type: 'NUGET', name, version })
          : null;
      }),
      path,
    );
  },
};
