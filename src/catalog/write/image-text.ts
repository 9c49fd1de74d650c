import type { RunConfig } from '../../domain/image-config.ts';
import { wordsOf } from '../../domain/words.ts';
import type { Connection } from '../database.ts';
import { BLOCK_BITS, MARKS } from '../marks.ts';

/** What an image can be found by, besides its names and digests. */
export interface ImageText {
  readonly imageId: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly run: Pick<RunConfig, 'entrypoint' | 'command'>;
  readonly history: readonly { readonly createdBy: string | null }[];
}

/** Records the words of new images, so that search finds them. */
export async function recordImageTexts(connection: Connection, texts: readonly ImageText[]): Promise<void> {
  await connection.run(
    `/* catalog.recordImageTexts */
     insert into image_text (image_id, document)
     select n.image_id, n.document::tsvector from unnest($1::int[], $2::text[]) as n(image_id, document)`,
    [texts.map((text) => text.imageId), texts.map(documentOf)],
  );
}

/** Of each kind of text, what is read of it: the rest says little that is new, and would weigh on the first sync. */
const MAX_TEXT = 4_000;

/** As PostgreSQL writes a tsvector. Words are letters and digits, so nothing in them needs to be escaped. */
function documentOf({ imageId, labels, annotations, run, history }: ImageText): string {
  const lexemes = [
    ...lexemesOf(MARKS.label, Object.entries(labels).flat()),
    ...lexemesOf(MARKS.annotation, Object.entries(annotations).flat()),
    // The last steps first: they are what sets an image apart from its base.
    ...lexemesOf('', [
      ...(run.entrypoint ?? []),
      ...(run.command ?? []),
      ...history.map((step) => step.createdBy ?? '').reverse(),
    ]),
    `'${MARKS.block}${imageId >> BLOCK_BITS}'`,
  ];
  return lexemes.join(' ');
}

function lexemesOf(mark: string, texts: readonly string[]): string[] {
  return Array.from(wordsOf(texts.join(' ').slice(0, MAX_TEXT)), (word) => `'${mark}${word}'`);
}
