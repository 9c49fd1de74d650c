import { GraphQLError, Kind, type FragmentDefinitionNode, type SelectionSetNode, type ValidationRule } from 'graphql';
import type { ClientErrorCode } from './errors.ts';
import { mayChange, type Viewer } from './viewer.ts';

/** Tokens in one document: room for a dashboard with hundreds of aliases, and a bound on what validation costs. */
export const MAX_TOKENS = 6_000;

/** Fields that one operation selects once its fragments are spread. */
export const MAX_SELECTIONS = 5_000;

/** Levels of fields. GraphiQL's introspection has 15, a query over connections grows by two for each step. */
export const MAX_DEPTH = 25;

/** Aliases in one document: the same costly field can be asked for this often. Dashboards alias a lot. */
const MAX_ALIASES = 250;

/**
 * What one operation may cost, in entries of lists: a hundred repositories with a hundred tags each are ten thousand.
 * Pages within pages multiply, so that a few lines could ask for more than any memory holds.
 */
export const MAX_COST = 1_000_000;

/** Faults of a document that are told: who wrote it wants the first ones, who sends thousands of them no answer at all. */
export const MAX_FAULTS = 20;

/** Operations that a client which stays connected has open at a time. */
export const MAX_OPEN = 100;

/** Subscriptions that one process answers: an idle one on a socket of its own is about 40 KB of its memory. */
export const MAX_SUBSCRIPTIONS = 10_000;

/** Characters of a subscription with its variables, which are kept as long as it lasts. */
export const MAX_SUBSCRIPTION_SIZE = 16_384;

/** Values in the variables of one operation, and levels of them: filters nest five deep, and take two for each. */
const MAX_VALUES = 5_000;
const MAX_VALUE_DEPTH = 32;
/** Of a viewer whose token lets him change something: a report has all containers of a host. */
const MAX_TRUSTED_VALUES = 1_000_000;

/** The refusal of variables with more values, or deeper ones, than are ever looked at; null for others. */
export function variablesRefusal(variables: Readonly<Record<string, unknown>>, viewer: Viewer): GraphQLError | null {
  const most = mayChange(viewer) ? MAX_TRUSTED_VALUES : MAX_VALUES;
  let values = 0;
  let level: unknown[] = [variables];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_VALUE_DEPTH)
      return refusal(`The variables are more than ${MAX_VALUE_DEPTH} levels deep: nest less.`);
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      const inner: unknown[] = Array.isArray(value) ? value : Object.values(value);
      values += inner.length;
      if (values > most) {
        return refusal(`The variables have more than ${most.toLocaleString('en')} values: send several requests.`);
      }
      for (const each of inner) next.push(each);
    }
    level = next;
  }
  return null;
}

/** Refuses an operation that nests deeper than `MAX_DEPTH`. */
export const depthLimit: ValidationRule = (context) => {
  const depths = new Map<FragmentDefinitionNode, number>();

  function depthOf(set: SelectionSetNode): number {
    let deepest = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        deepest = Math.max(deepest, 1 + (selection.selectionSet ? depthOf(selection.selectionSet) : 0));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        deepest = Math.max(deepest, depthOf(selection.selectionSet));
      } else {
        deepest = Math.max(deepest, depthOfFragment(context.getFragment(selection.name.value)));
      }
    }
    return deepest;
  }

  // Each fragment is measured once; zero stands for one that is being measured, since cycles are another rule's.
  function depthOfFragment(fragment: FragmentDefinitionNode | null | undefined): number {
    if (!fragment) return 0;
    const known = depths.get(fragment);
    if (known !== undefined) return known;
    depths.set(fragment, 0);
    const depth = depthOf(fragment.selectionSet);
    depths.set(fragment, depth);
    return depth;
  }

  return {
    OperationDefinition(operation) {
      const depth = depthOf(operation.selectionSet);
      if (depth <= MAX_DEPTH) return;
      context.reportError(
        new GraphQLError(`The operation is ${depth} levels deep: at most ${MAX_DEPTH} are allowed.`, {
          nodes: operation,
        }),
      );
    },
  };
};

/** Refuses a document with more aliases than `MAX_ALIASES`. */
export const aliasLimit: ValidationRule = (context) => {
  let aliases = 0;
  return {
    Field(field) {
      if (field.alias && ++aliases === MAX_ALIASES + 1) {
        context.reportError(
          new GraphQLError(`The document has more than ${MAX_ALIASES} aliases: send several requests.`, {
            nodes: field,
          }),
        );
      }
    },
  };
};

function refusal(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'BAD_USER_INPUT' satisfies ClientErrorCode, http: { status: 400 } },
  });
}
