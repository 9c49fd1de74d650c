import { CatalogError, RegistryError } from '../domain/errors.ts';

/** What was wrong with an input, as data: nothing was carried out. */
export interface UserError {
  readonly type: 'InvalidInput' | 'NotFound' | 'RegistryRefused' | 'ImageInUse';
  readonly message: string;
  /** Path into the input. */
  readonly path: string[];
  /** Of a registry that refused: what it answered; null where it did not. */
  readonly status?: number | null;
  readonly code?: string | null;
  /** Row ids of the images that are in use. */
  readonly imageIds?: readonly number[];
}

export function invalid(path: string, message: string): UserError {
  return { type: 'InvalidInput', message, path: ['input', ...path.split('.')] };
}

export function notFound(path: string, message: string): UserError {
  return { type: 'NotFound', message, path: ['input', ...path.split('.')] };
}

/** Of images that would have gone, containers exist. */
export function inUse(path: string, what: string, imageIds: readonly number[]): UserError {
  const message = `${what} is in use: remove the containers that were created from it first.`;
  return { type: 'ImageInUse', message, path: ['input', path], imageIds };
}

/** What a registry did not do, in its own words where it has any. Anything but its refusal is thrown on. */
export function refused(path: string, error: unknown): UserError {
  if (!(error instanceof RegistryError)) throw error;
  const { message, status, registryCode } = error;
  return { type: 'RegistryRefused', message: `${message}.`, path: ['input', path], status, code: registryCode };
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
