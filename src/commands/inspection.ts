import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import type { Digest } from '../domain/digest.ts';
import { notFound, type UserError } from './user-error.ts';

export interface InspectionOutcome {
  /** Of the image; null where there were errors. */
  readonly digest: Digest | null;
  readonly userErrors: UserError[];
}

export interface InspectionCommands {
  /** Queues an image to be looked at, again where it was, whether a source asks for it or not. */
  requestInspection(input: { readonly image: Digest }): Promise<InspectionOutcome>;
}

export function createInspectionCommands(database: Database, now: () => Date): InspectionCommands {
  return {
    async requestInspection({ image }) {
      const isThere = await database.transaction((connection) => catalog.requestInspection(connection, image, now()));
      if (isThere) return { digest: image, userErrors: [] };
      return { digest: null, userErrors: [notFound('image', `The catalog has no image ${image}.`)] };
    },
  };
}
