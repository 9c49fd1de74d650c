import { z } from 'zod';
import { messageOf } from '../domain/errors.ts';

/** Names of an enum as the file has them. */
export function namesOf<T extends string>(values: readonly T[]): ReadonlyMap<string, T> {
  return new Map(values.map((value) => [value.toLowerCase().replaceAll('_', '-'), value]));
}

/** A domain parser as a step of a schema: what it throws is the fault. */
export function parsedBy<T, V = string>(parse: (value: V) => T): (value: V, context: z.RefinementCtx) => T {
  return (value, context) => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  };
}

/** Refuses a list in which two entries have one name. */
export function onceEach<T>(noun: string, nameOf: (item: T) => string) {
  return (items: readonly T[], context: z.RefinementCtx<readonly T[]>): void => {
    const seen = new Set<string>();
    items.forEach((item, index) => {
      const name = nameOf(item);
      if (seen.has(name)) {
        context.addIssue({ code: 'custom', message: `the ${noun} "${name}" stands here twice.`, path: [index] });
      }
      seen.add(name);
    });
  };
}
