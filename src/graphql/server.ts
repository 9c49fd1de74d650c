import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { makeExecutableSchema, type IExecutableSchemaDefinition } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import { compiledOperations } from './compiled-operations.ts';
import { costOf, costRefusal, type Cost } from './cost.ts';
import { errorFormatter, statusOf } from './errors.ts';
import {
  aliasLimit,
  depthLimit,
  MAX_COST,
  MAX_FAULTS,
  MAX_SELECTIONS,
  MAX_TOKENS,
  variablesRefusal,
} from './limits.ts';
import { leaveSubscriptions, type LiveOperation } from './live.ts';
import { scalarResolvers } from './scalars/index.ts';
import { observeOperations } from './observation.ts';
import { onlyTrusted, type TrustedDocuments } from './trusted-documents.ts';
import { guardMutations, type Viewer } from './viewer.ts';

type Resolvers = NonNullable<IExecutableSchemaDefinition['resolvers']>;

export interface GraphServerSettings {
  readonly schema: GraphQLSchema;
  /** Null where every document may be sent. */
  readonly documents: TrustedDocuments | null;
  readonly log: Logger;
  /** How the HTTP server stops taking requests before this one stops answering them. */
  readonly drain: ApolloServerPlugin;
}

/** The schema with its scalars, and each mutation behind its scope. Throws where SDL and resolvers disagree. */
export function createSchema(typeDefs: string, resolvers: Resolvers): GraphQLSchema {
  const schema = makeExecutableSchema({
    typeDefs,
    resolvers: [resolvers, scalarResolvers].flat(),
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
  guardMutations(schema);
  return schema;
}

/** Apollo Server as the catalog wants it: quiet about itself, bounded, and with one translation of errors. */
export function createGraphServer<Context extends { readonly viewer: Viewer; readonly live?: LiveOperation }>(
  settings: GraphServerSettings,
): ApolloServer<Context> {
  return new ApolloServer<Context>({
    schema: settings.schema,
    logger: settings.log,
    // Dashboards, GraphiQL and code generators ask the schema what it has.
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: errorFormatter(settings.log),
    parseOptions: { maxTokens: MAX_TOKENS },
    maxRecursiveSelections: MAX_SELECTIONS,
    validationRules: [depthLimit, aliasLimit],
    validationOptions: { maxErrors: MAX_FAULTS },
    executionOptions: { maxCoercionErrors: MAX_FAULTS },
    plugins: [
      // Left on, they wrap every field of every type: the one always, the other in a subgraph.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ...(settings.documents === null ? [] : [onlyTrusted(settings.documents)]),
      observeOperations,
      emptyOperationName,
      statusOfErrors,
      costLimit,
      compiledOperations(settings.log),
      leaveSubscriptions,
      settings.drain,
    ],
  });
}

/** Clients with a form for the name send an empty one, which is none. */
const emptyOperationName: ApolloServerPlugin = {
  requestDidStart({ request }) {
    if (request.operationName === '') delete request.operationName;
    return Promise.resolve();
  },
};

/** An answer without any data says so in its status: a dashboard shows an error only from 400 up. */
const statusOfErrors: ApolloServerPlugin = {
  requestDidStart() {
    return Promise.resolve({
      willSendResponse({ response: { body, http } }) {
        if (body.kind === 'single' && !body.singleResult.data && http.status === undefined) {
          http.status = body.singleResult.errors?.map((error) => statusOf(error.extensions?.['code'])).find(Boolean);
        }
        return Promise.resolve();
      },
    });
  },
};

/** Refuses what is too dear before any of it is resolved, and tells in every answer what the operation may cost. */
const costLimit: ApolloServerPlugin<{ readonly viewer: Viewer }> = {
  requestDidStart() {
    let cost: Cost | null = null;
    return Promise.resolve({
      didResolveOperation({ schema, document, operation, request, contextValue }) {
        // Without an operation of the name that was asked for, the refusal is Apollo's.
        if (operation === undefined) return Promise.resolve();
        const variables = request.variables ?? {};
        const tooMany = variablesRefusal(variables, contextValue.viewer);
        if (tooMany !== null) return Promise.reject(tooMany);
        cost = costOf({ schema, document, operation, variables });
        const refusal = costRefusal(cost, operation);
        return refusal === null ? Promise.resolve() : Promise.reject(refusal);
      },
      willSendResponse({ response: { body } }) {
        if (cost !== null && body.kind === 'single') {
          const extensions = { cost: { requested: cost.requested, limit: MAX_COST } };
          body.singleResult = { ...body.singleResult, extensions };
        }
        return Promise.resolve();
      },
    });
  },
};
