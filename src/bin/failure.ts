import { CatalogError } from '../domain/errors.ts';

/**
 * What a person reads when a command cannot go on. What they can change is told in a line for each fault; a fault of
 * our own comes with its stack.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof CatalogError) {
    return error.message
      .split('\n')
      .map((line) => `stowage: ${line}\n`)
      .join('');
  }
  const { stack } = error instanceof Error ? error : new Error(String(error));
  return `stowage: this is a fault of Stowage, please report it: ${stack ?? String(error)}\n`;
}
