import { createHash } from 'node:crypto';
import { HeaderMap, type ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  createSourceEventStream,
  execute,
  getVariableValues,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type FormattedExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { SpanKind } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { CatalogReads, Following } from '../catalog/read/index.ts';
import type { GraphQLContext } from './context.ts';
import { hidden, resultFormatter, type ClientErrorCode } from './errors.ts';
import { MAX_OPEN, MAX_SUBSCRIPTION_SIZE, MAX_SUBSCRIPTIONS } from './limits.ts';
import { inSpan } from '../telemetry/index.ts';
import { createSharedAnswers, type Told } from './shared-answers.ts';

/** Who stays connected, over whatever it may be, and asks one operation after the other, or several at a time. */
export interface LiveClient {
  /** Mutations are refused; for what a page elsewhere could send on its own. */
  readonly isReadOnly: boolean;
  /** Operations that are being answered. */
  open: number;
  /** Ends its connection: what waits for it is not taken. */
  drop(): void;
}

export interface LiveRequest {
  /** The Authorization header, or what takes its place. */
  readonly authorization: string | undefined;
  readonly query?: string | null | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
}

/** One result, or those of a subscription. */
export type LiveAnswer = FormattedExecutionResult | AsyncGenerator<FormattedExecutionResult, undefined>;

/** Answers operations of clients that stay connected. Never throws: what is wrong is in the result. */
export type AnswerLive = (client: LiveClient, request: LiveRequest) => Promise<LiveAnswer>;

export interface LiveSettings {
  readonly server: ApolloServer<GraphQLContext>;
  readonly schema: GraphQLSchema;
  readonly reads: CatalogReads;
  readonly log: Logger;
  readonly contextFor: (authorization: string | undefined) => GraphQLContext;
}

/**
 * Every operation goes the way of those over HTTP, through Apollo with all its plugins: what is refused there is
 * refused here, with the same error. Only what a subscription tells then comes past it.
 */
export function createLiveAnswers({ server, schema, reads, log, contextFor }: LiveSettings): AnswerLive {
  const formatted = resultFormatter(log);
  const shared = createSharedAnswers(reads);
  let subscriptions = 0;

  async function answer(client: LiveClient, request: LiveRequest, onEnd: () => void): Promise<LiveAnswer> {
    const { loaders, ...context } = contextFor(request.authorization);
    const { variables: variableValues, extensions } = request;
    // Clients with a form for the name send an empty one, which is none.
    const operationName = request.operationName || undefined;
    const live: LiveOperation = { client, document: null };
    const { body } = await inSpan('live /graphql', { kind: SpanKind.SERVER }, () =>
      server.executeOperation(
        {
          // Some transports can't leave it out.
          query: request.query || undefined,
          operationName,
          variables: variableValues ?? undefined,
          extensions: extensions ?? undefined,
        },
        { contextValue: { ...context, loaders, live } },
      ),
    );
    if (body.kind !== 'single') throw new Error('an operation was answered in parts');
    const { document } = live;
    if (document === null) return body.singleResult;
    const asked = JSON.stringify([request.query, extensions, operationName, variableValues, context.viewer.name]);
    if (asked.length > MAX_SUBSCRIPTION_SIZE) throw tooLarge(asked.length);
    if (subscriptions >= MAX_SUBSCRIPTIONS) throw full();

    subscriptions++;
    const operation = { schema, document, operationName, variableValues };
    const begun = createSourceEventStream({ ...operation, contextValue: { ...context, loaders, live } });
    const source = await Promise.resolve(begun).catch((error: unknown) => {
      subscriptions--;
      throw error;
    });
    if (!(Symbol.asyncIterator in source)) {
      subscriptions--;
      return formatted(source);
    }
    const key = createHash('sha256').update(asked).digest('base64url');
    return new Results({
      source: source as Following<unknown>,
      onEnd: () => {
        subscriptions--;
        onEnd();
      },
      resultOf: (told) =>
        shared.resultOf(told, key, async (loaders) => {
          const contextValue = { ...context, loaders };
          return formatted(await execute({ ...operation, contextValue, rootValue: told }));
        }),
      resultOfFault: (error) => formatted({ errors: [error instanceof GraphQLError ? error : wrapped(error)] }),
    });
  }

  return async (client, request) => {
    if (client.open >= MAX_OPEN) return formatted({ errors: [tooMany()] });
    client.open++;
    let isOver = false;
    const end = () => {
      if (!isOver) client.open--;
      isOver = true;
    };
    try {
      const answered = await answer(client, request, end);
      if (!(Symbol.asyncIterator in answered)) end();
      return answered;
    } catch (error) {
      end();
      if (error instanceof GraphQLError) return formatted({ errors: [error] });
      return { errors: [hidden(log, error)] };
    }
  };
}

/** How an operation came: what the plugin below has to know, and where it leaves what is not Apollo's to answer. */
export interface LiveOperation {
  readonly client: LiveClient;
  /** Of a subscription, once it was let in. */
  document: DocumentNode | null;
}

/** Takes subscriptions out of Apollo's hands when all is checked: it would answer one as if it were a query. */
export const leaveSubscriptions: ApolloServerPlugin<{ readonly live?: LiveOperation }> = {
  requestDidStart() {
    return Promise.resolve({
      didResolveOperation({ schema, operation, request, contextValue: { live } }) {
        if (operation?.operation === OperationTypeNode.MUTATION && live?.client.isReadOnly)
          return Promise.reject(readOnly());
        if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return Promise.resolve();
        if (live === undefined) return Promise.reject(notOverHttp());
        const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], request.variables ?? {});
        const [fault] = errors ?? [];
        return fault === undefined ? Promise.resolve() : Promise.reject(badInput(fault.message, fault));
      },
      responseForOperation(asked) {
        // Undefined where there is none of that name, whatever its type says.
        const operation = asked.operation as OperationDefinitionNode | undefined;
        const { document, contextValue } = asked;
        const { live } = contextValue;
        if (operation?.operation !== OperationTypeNode.SUBSCRIPTION || live === undefined) return Promise.resolve(null);
        live.document = document;
        const http = { status: undefined, headers: new HeaderMap() };
        return Promise.resolve({ http, body: { kind: 'single', singleResult: {} } });
      },
    });
  },
};

interface ResultsSettings {
  readonly source: Following<unknown>;
  readonly onEnd: () => void;
  readonly resultOf: (told: Told) => Promise<FormattedExecutionResult>;
  readonly resultOfFault: (error: unknown) => FormattedExecutionResult;
}

/** No generator, since a return has to end one that waits for its source, and one that was never begun. */
class Results implements AsyncGenerator<FormattedExecutionResult, undefined> {
  readonly #settings: ResultsSettings;
  #hasEnded = false;

  constructor(settings: ResultsSettings) {
    this.#settings = settings;
  }

  async next(): Promise<IteratorResult<FormattedExecutionResult, undefined>> {
    if (this.#hasEnded) return { value: undefined, done: true };
    const { source, resultOf, resultOfFault } = this.#settings;
    try {
      const told = await source.next();
      if (!told.done) return { value: await resultOf(told.value), done: false };
    } catch (error) {
      await this.return();
      return { value: resultOfFault(error), done: false };
    }
    return this.return();
  }

  async return(): Promise<IteratorResult<FormattedExecutionResult, undefined>> {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#settings.onEnd();
      await this.#settings.source.return?.();
    }
    return { value: undefined, done: true };
  }

  async throw(error: unknown): Promise<never> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.return().then(() => undefined);
  }
}

function wrapped(error: unknown): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

function badInput(message: string, originalError?: GraphQLError): GraphQLError {
  const extensions = { code: 'BAD_USER_INPUT' satisfies ClientErrorCode, http: { status: 400 } };
  return new GraphQLError(message, { extensions, nodes: originalError?.nodes });
}

function notOverHttp(): GraphQLError {
  return badInput(
    'A subscription is not answered by a plain request: open a WebSocket at this address with the protocol graphql-transport-ws, or ask /graphql/stream for server-sent events.',
  );
}

function readOnly(): GraphQLError {
  return badInput('Mutations are not taken here: POST them to /graphql.');
}

function tooMany(): GraphQLError {
  return badInput(
    `This connection has ${MAX_OPEN} operations open, which are as many as it may have: complete some, or open another connection.`,
  );
}

function tooLarge(size: number): GraphQLError {
  return badInput(
    `The subscription has ${size} characters with its variables: at most ${MAX_SUBSCRIPTION_SIZE} are allowed, since they are kept as long as it lasts. Leave out comments, and what the filter does not need.`,
  );
}

function full(): GraphQLError {
  const extensions = { code: 'SERVICE_UNAVAILABLE' satisfies ClientErrorCode };
  return new GraphQLError('The server has as many subscriptions as it can answer: try again later.', { extensions });
}
