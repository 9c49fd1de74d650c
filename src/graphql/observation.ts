import type { ApolloServerPlugin, GraphQLRequestContextWillSendResponse } from '@apollo/server';
import { observeOperation, type OperationOutcome } from '../telemetry/index.ts';
import type { ClientErrorCode } from './errors.ts';

/** Tells how long each operation took, and what came of it. */
export const observeOperations: ApolloServerPlugin = {
  requestDidStart() {
    const observed = observeOperation();
    return Promise.resolve({
      didResolveOperation({ operation }) {
        // Undefined where there is none of that name, whatever its type says.
        if (operation !== undefined) observed.named(operation.operation, operation.name?.value ?? null);
        return Promise.resolve();
      },
      willSendResponse({ response }) {
        observed.ended(outcomeOf(response));
        return Promise.resolve();
      },
    });
  },
};

function outcomeOf({ body }: GraphQLRequestContextWillSendResponse<object>['response']): OperationOutcome {
  const errors = body.kind === 'single' ? (body.singleResult.errors ?? []) : [];
  if (errors.length === 0) return 'answered';
  return errors.some(({ extensions }) => OUR_FAULTS.has(extensions?.['code'])) ? 'failed' : 'refused';
}

const OUR_FAULTS: ReadonlySet<unknown> = new Set<ClientErrorCode>(['INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE']);
