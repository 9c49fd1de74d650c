import type { FormattedExecutionResult } from 'graphql';
import type { CatalogReads, Told as ToldValue } from '../catalog/read/index.ts';
import { createLoaders, type Loaders } from './types/index.ts';

export type Told = ToldValue<unknown>;

/** What many subscribers are told at the same time is read once, and where they ask alike, answered once. */
export interface SharedAnswers {
  /** `asked` is the same for those who ask the same as the same viewer; `told` is one object for all who are told. */
  resultOf(
    told: Told,
    asked: string,
    make: (loaders: Loaders) => Promise<FormattedExecutionResult>,
  ): Promise<FormattedExecutionResult>;
}

/** Nobody gets what was read longer ago: a tag may have moved since. */
const SHARED_MS = 1_000;

interface Shared<T> {
  readonly value: T;
  readonly at: number;
}

type Results = Map<string, Shared<Promise<FormattedExecutionResult>>>;

export function createSharedAnswers(reads: CatalogReads): SharedAnswers {
  const results = new WeakMap<Told, Results>();
  let loaders: Shared<Loaders> | null = null;

  /** None of them older than what is told. */
  function loadersSince(since: number, now: number): Loaders {
    if (loaders === null || loaders.at < since || now - loaders.at > SHARED_MS) {
      loaders = { value: createLoaders(reads), at: now };
    }
    return loaders.value;
  }

  return {
    resultOf(told, asked, make) {
      const now = performance.now();
      const byAsked = results.get(told) ?? (new Map() as Results);
      results.set(told, byAsked);
      let result = byAsked.get(asked);
      if (result === undefined || now - result.at > SHARED_MS) {
        result = { value: make(loadersSince(told.at, now)), at: now };
        byAsked.set(asked, result);
      }
      return result.value;
    },
  };
}
