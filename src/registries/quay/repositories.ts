import { textOf, type JsonObject } from '../../domain/json.ts';
import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import type { RegistryApi } from '../api.ts';
import { flagOf } from '../members.ts';
import { isAbsence } from '../own-list.ts';
import { ownerIn } from '../owner.ts';
import type { RepositoryDescription } from '../registry.ts';

/**
 * Those of a namespace that the API shows, and those of `catalog`, which is the distribution API's list where that shows
 * more: a robot account is not known to the API. https://docs.quay.io/api/swagger/#!/repository/listRepos
 */
export async function* listRepositories(
  api: RegistryApi,
  catalog: AsyncIterable<readonly RepositoryName[]> | null,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RepositoryName[]> {
  const namespace = ownerIn(prefix, 'Quay', 'prometheus/*');
  const path = `/repository?namespace=${encodeURIComponent(namespace)}`;
  try {
    for await (const entries of api.list({ path, member: 'repositories', next: nextOf }, signal)) {
      const images = entries.filter(({ kind }) => kind === undefined || kind === 'image');
      yield images.map(({ name }) => `${namespace}/${textOf(name) ?? ''}`).filter(isRepositoryName);
    }
  } catch (error) {
    if (catalog === null || !isAbsence(error)) throw error;
  }
  for await (const names of catalog ?? []) yield names.filter((name) => name.startsWith(`${namespace}/`));
}

/** A private one is shown to no robot account. */
export async function describeRepository(
  api: RegistryApi,
  repository: RepositoryName,
  signal: AbortSignal,
): Promise<RepositoryDescription | null> {
  const found = await api.find(`/repository/${repository}?includeTags=false`, signal);
  const isPublic = flagOf(found?.['is_public']);
  return (
    found && {
      description: paragraphOf(textOf(found['description']) ?? ''),
      isPrivate: isPublic === null ? null : !isPublic,
      starCount: null,
      pullCount: null,
    }
  );
}

function nextOf(page: JsonObject, address: URL): string | null {
  const token = textOf(page['next_page']);
  if (token === null) return null;
  const next = new URL(address);
  next.searchParams.set('next_page', token);
  return next.href;
}

/** The first of a text in Markdown, which may be a page of its own. */
function paragraphOf(markdown: string): string {
  const paragraphs = markdown.split(/\r?\n\s*\r?\n/).map((text) => text.replace(/^(?:#.*(?:\r?\n|$))+/, '').trim());
  return (paragraphs.find((text) => text !== '') ?? '').replace(/\s+/g, ' ');
}
