import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { RegistryError, messageOf } from '../../domain/errors.ts';
import type { OpenRegistry, RegistryKind, RegistrySettings } from '../registry.ts';
import { openDirectory } from './directory.ts';
import { readDockerArchive } from './docker-archive.ts';
import type { LayoutFiles } from './files.ts';
import { readImageLayout } from './image-layout.ts';
import type { Layout } from './layout.ts';
import { repositoryOfPath } from './names.ts';
import { registryOfLayout } from './registry-of-layout.ts';
import { openTar } from './tar.ts';

/** Images in a folder or a tar, in the OCI layout or the docker-archive form: `file:///srv/images`. */
export const ociLayout: RegistryKind = {
  kind: 'OCI_LAYOUT',
  recognises: (url) => url.protocol === 'file:',
  open,
};

async function open(settings: RegistrySettings): Promise<OpenRegistry> {
  const path = pathOf(settings.url);
  const files = await openFiles(path);
  try {
    return registryOfLayout(settings.host, await readLayout(files, path), () => files.close());
  } catch (error) {
    await files.close();
    throw error instanceof RegistryError ? error : unreadable(path, error);
  }
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new RegistryError('NOT_A_REGISTRY', `${url.href} is no address of a layout: write file:///path`, {
      cause: error,
    });
  }
}

async function openFiles(path: string): Promise<LayoutFiles> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return await openDirectory(path);
    if (found.isFile()) return await openTar(path);
  } catch (error) {
    throw error instanceof RegistryError ? error : unreadable(path, error);
  }
  throw new RegistryError('NOT_A_REGISTRY', `${path} is neither a folder nor a tar file`);
}

async function readLayout(files: LayoutFiles, path: string): Promise<Layout> {
  const index = await files.find('index.json');
  if (index !== null) return readImageLayout(files, index, repositoryOfPath(path));
  const archive = await files.find('manifest.json');
  if (archive !== null) return readDockerArchive(files, archive);
  throw new RegistryError(
    'NOT_A_REGISTRY',
    `${path} is no layout: it has neither index.json (OCI layout) nor manifest.json (docker-archive)`,
  );
}

/** The path may come back: a volume that is not mounted yet, a folder that is being replaced. */
function unreadable(path: string, error: unknown): RegistryError {
  return new RegistryError('UNAVAILABLE', `${path} can't be read: ${messageOf(error)}`, { cause: error });
}
