import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { CatalogError } from '../domain/errors.ts';
import type { Reference } from '../domain/reference.ts';
import { isWebAddress } from '../domain/web-address.ts';
import { invalid, notFound, read, type UserError } from './user-error.ts';

/** What is undefined stays; null takes away. */
export interface SetMetadataInput {
  readonly repository: Reference;
  readonly owner?: string | null;
  readonly team?: string | null;
  readonly lifecycle?: string | null;
  readonly documentationUrl?: string | null;
  readonly sourceUrl?: string | null;
  readonly annotations?: readonly AnnotationInput[] | null;
}

export interface AnnotationInput {
  readonly name: string;
  readonly value: string;
}

export interface RepositoryOutcome {
  readonly repositoryId: number | null;
  readonly userErrors: UserError[];
}

export interface RepositoryCommands {
  setMetadata(input: SetMetadataInput): Promise<RepositoryOutcome>;
}

export function createRepositoryCommands(database: Database): RepositoryCommands {
  return {
    async setMetadata(input) {
      const errors: UserError[] = [];
      const change = readChange(errors, input);
      if (errors.length > 0) return { repositoryId: null, userErrors: errors };
      const { host, repository: name } = input.repository;
      const repositoryId = await catalog.setMetadata(database, { host, name }, change);
      if (repositoryId === null) {
        errors.push(notFound('repository', `The catalog has no repository "${host}/${name}".`));
      }
      return { repositoryId, userErrors: errors };
    },
  };
}

const MAX_TEXT = 255;
const MAX_URL = 2048;
const MAX_ANNOTATIONS = 100;
const MAX_VALUE = 4096;

type Change = { -readonly [key in keyof catalog.MetadataChange]: catalog.MetadataChange[key] };

/** Checks what is given; what is undefined is left out of the change. */
function readChange(errors: UserError[], input: SetMetadataInput): Change {
  const change: Change = {};
  for (const member of ['owner', 'team', 'lifecycle'] as const) {
    const text = input[member];
    if (text !== undefined) {
      change[member] = text === null ? null : read(errors, member, () => parseText(member, text, MAX_TEXT));
    }
  }
  for (const member of ['documentationUrl', 'sourceUrl'] as const) {
    const text = input[member];
    if (text !== undefined) change[member] = text === null ? null : read(errors, member, () => parseLink(member, text));
  }
  if (input.annotations !== undefined) change.annotations = readAnnotations(errors, input.annotations ?? []);
  return change;
}

function readAnnotations(errors: UserError[], annotations: readonly AnnotationInput[]): Record<string, string> {
  if (annotations.length > MAX_ANNOTATIONS) {
    errors.push(
      invalid(
        'annotations',
        `annotations has ${annotations.length} entries: a repository has ${MAX_ANNOTATIONS} at most.`,
      ),
    );
    return {};
  }
  const found = new Map<string, string>();
  for (const [at, { name, value }] of annotations.entries()) {
    if (found.has(name))
      errors.push(invalid(`annotations.${at}.name`, `"${name}" is there twice: write each name once.`));
    read(errors, `annotations.${at}.name`, () => parseText('name', name, MAX_TEXT));
    read(errors, `annotations.${at}.value`, () => checkText('value', value, MAX_VALUE));
    found.set(name, value);
  }
  return Object.fromEntries(found);
}

function parseText(member: string, text: string, most: number): string {
  if (text.trim() === '') {
    throw new CatalogError('INVALID_ARGUMENT', `${member} is empty: write a text, or null to remove it.`);
  }
  return checkText(member, text, most);
}

function checkText(member: string, text: string, most: number): string {
  if (text.length > most) {
    throw new CatalogError('INVALID_ARGUMENT', `${member} has ${text.length} characters: ${most} are allowed.`);
  }
  if (!text.isWellFormed() || text.includes('\u0000')) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${member} holds a character that can't be stored: leave out NUL and half surrogates.`,
    );
  }
  return text;
}

function parseLink(member: string, text: string): string {
  checkText(member, text, MAX_URL);
  if (isWebAddress(text)) return text;
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `${member} "${text.slice(0, 200)}" is not an address: write https://host/path, or null to remove it.`,
  );
}
