import { readFile } from 'node:fs/promises';
import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError, parse, specifiedRules, validate, type GraphQLSchema } from 'graphql';
import { CatalogError, messageOf } from '../domain/errors.ts';
import type { ClientErrorCode } from './errors.ts';
import { aliasLimit, depthLimit, MAX_TOKENS } from './limits.ts';

/** What a request says of its document, over whatever it came: the text, or the id of one that is known. */
export interface AskedDocument {
  readonly query?: string | null | undefined;
  /** With `{ persistedQuery: { sha256Hash } }` where the id is sent. */
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
}

/** The only documents that are answered, where there is such a list. */
export interface TrustedDocuments {
  /** The text of the document that is asked for. Throws the refusal of one that is not in the list. */
  admit(asked: AskedDocument): string;
}

/**
 * Reads the list that a client's build wrote: ids and texts, as GraphQL Code Generator and Relay write them, or Apollo's
 * manifest. Throws INVALID_CONFIGURATION with every document that the schema can't answer.
 */
export async function readTrustedDocuments(file: string, schema: GraphQLSchema): Promise<TrustedDocuments> {
  const byId = documentsIn(await readFile(file, 'utf8').catch(refuse(file)), file);
  const faults = [...byId].flatMap(([id, text]) => faultsOf(text, schema).map((fault) => `${file}: ${id}: ${fault}`));
  if (faults.length > 0) throw new CatalogError('INVALID_CONFIGURATION', faults.join('\n'));
  const texts = new Set(byId.values());
  return {
    admit({ query, extensions }) {
      // A text is what would be answered, whatever id stands beside it.
      if (query != null) {
        if (texts.has(query)) return query;
        throw refusal('The text that was sent is not one of them, character by character');
      }
      const id = idIn(extensions);
      const text = id === null ? undefined : byId.get(plainId(id));
      if (text !== undefined) return text;
      throw refusal(id === null ? 'The request names none' : `None has the id "${id.slice(0, 200)}"`);
    },
  };
}

/** Replaces what a request asks by what the list has for it, so that nothing else is even parsed. */
export function onlyTrusted(documents: TrustedDocuments): ApolloServerPlugin {
  return {
    requestDidStart({ request }) {
      try {
        request.query = documents.admit(request);
        delete request.extensions?.['persistedQuery'];
        return Promise.resolve();
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        // Apollo has no hook here that may refuse; without a document it goes no further.
        delete request.query;
        delete request.extensions;
        return Promise.resolve({
          willSendResponse({ response }) {
            response.http.status = 403;
            response.body = { kind: 'single', singleResult: { errors: [error.toJSON()] } };
            return Promise.resolve();
          },
        });
      }
    },
  };
}

function refusal(reason: string): GraphQLError {
  return new GraphQLError(
    `Only documents of a list are answered here. ${reason}: send { "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "<id>" } } } with the id of one, and let the operator add what is new.`,
    { extensions: { code: 'UNTRUSTED_DOCUMENT' satisfies ClientErrorCode } },
  );
}

function idIn(extensions: AskedDocument['extensions']): string | null {
  const persisted = extensions?.['persistedQuery'] as { readonly sha256Hash?: unknown } | null | undefined;
  return typeof persisted?.sha256Hash === 'string' ? persisted.sha256Hash : null;
}

/** Some builds write the name of the algorithm in front, and their clients may or may not send it. */
function plainId(id: string): string {
  return id.replace(/^sha256:/, '');
}

function refuse(file: string): (error: unknown) => never {
  return (error) => {
    throw invalid(file, `can't be read (${(error as NodeJS.ErrnoException).code ?? messageOf(error)})`);
  };
}

function invalid(file: string, fault: string): CatalogError {
  return new CatalogError(
    'INVALID_CONFIGURATION',
    `environment STOWAGE_TRUSTED_DOCUMENTS: ${file} ${fault}: name a JSON file of ids and documents, { "<id>": "query …" }, or Apollo's manifest.`,
  );
}

function documentsIn(text: string, file: string): Map<string, string> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw invalid(file, `is no JSON (${messageOf(error)})`);
  }
  const entries = entriesIn(content);
  if (entries === null || entries.length === 0) throw invalid(file, 'holds no documents');
  const strange = entries.find(([id, document]) => typeof id !== 'string' || typeof document !== 'string');
  if (strange) throw invalid(file, `has no text for ${JSON.stringify(strange[0])}`);
  return new Map((entries as [string, string][]).map(([id, document]) => [plainId(id), document]));
}

/** https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format */
function entriesIn(content: unknown): [unknown, unknown][] | null {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return null;
  if (!('operations' in content) || !Array.isArray(content.operations)) return Object.entries(content);
  return content.operations.map((operation: { readonly id?: unknown; readonly body?: unknown } | null) => [
    operation?.id,
    operation?.body,
  ]);
}

function faultsOf(text: string, schema: GraphQLSchema): string[] {
  try {
    const document = parse(text, { maxTokens: MAX_TOKENS });
    return validate(schema, document, [...specifiedRules, depthLimit, aliasLimit]).map(told);
  } catch (error) {
    return [error instanceof GraphQLError ? told(error) : messageOf(error)];
  }
}

function told({ message, locations }: GraphQLError): string {
  const place = locations?.[0];
  return place === undefined ? message : `line ${place.line}, column ${place.column}: ${message}`;
}
