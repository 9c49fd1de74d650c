import type { UserError } from '../../commands/index.ts';
import { CatalogError } from '../../domain/errors.ts';
import { parseRowId, type RowType } from '../node-id.ts';

/** An id in an input; one that is wrong is the client's to read as data, like all else that is wrong with an input. */
export function idIn(type: RowType, text: string, member: string): number | UserError {
  try {
    return parseRowId(type, text, member);
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    return { type: 'InvalidInput', message: error.message, path: ['input', member] };
  }
}
