import { CatalogError } from '../domain/errors.ts';

/** What was wrong with an input, as data: nothing was carried out. */
export interface UserError {
  readonly type: 'InvalidInput' | 'NotFound';
  readonly message: string;
  /** Path into the input. */
  readonly path: string[];
}

export function invalid(path: string, message: string): UserError {
  return { type: 'InvalidInput', message, path: ['input', ...path.split('.')] };
}

export function notFound(path: string, message: string): UserError {
  return { type: 'NotFound', message, path: ['input', ...path.split('.')] };
}

/** Reads one part of an input; what the domain refuses is added to the errors, and the result is undefined. */
export function read<T>(errors: UserError[], path: string, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    errors.push(invalid(path, error.message));
    return undefined;
  }
}
