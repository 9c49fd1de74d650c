import type { ObservedContainer } from '../../domain/container.ts';
import { wordsOf } from '../../domain/words.ts';
import type { Connection } from '../database.ts';
import { MARKS } from '../marks.ts';

/** What a container can be found by, besides its id. */
export interface ContainerText extends Pick<ObservedContainer, 'name' | 'imageReference' | 'labels'> {
  /** Row id. */
  readonly id: number;
  readonly workloadName: string | null;
  readonly workloadNamespace: string | null;
}

/** Records the words of containers that are new, or whose words are others by now. */
export async function recordContainerTexts(connection: Connection, texts: readonly ContainerText[]): Promise<void> {
  await connection.run(
    `/* catalog.recordContainerTexts */
     insert into container_text as t (container_id, document)
     select n.container_id, n.document::tsvector from unnest($1::int[], $2::text[]) as n(container_id, document)
     order by n.container_id
     on conflict (container_id) do update set document = excluded.document where t.document <> excluded.document`,
    [texts.map(({ id }) => id), texts.map(documentOf)],
  );
}

/** Of each kind of text, what is read of it. */
const MAX_TEXT = 4_000;

/** As PostgreSQL writes a tsvector. Only the name as a whole may have signs in it, and is left out where it does. */
function documentOf({ name, imageReference, labels, workloadName, workloadNamespace }: ContainerText): string {
  const whole = name.toLowerCase();
  return [
    ...(WHOLE_NAME.test(whole) ? [`'${MARKS.path}${whole}'`] : []),
    ...lexemesOf(MARKS.name, name),
    ...lexemesOf(MARKS.annotation, `${workloadNamespace ?? ''} ${workloadName ?? ''}`),
    ...lexemesOf('', imageReference),
    ...lexemesOf(MARKS.label, Object.entries(labels).flat().join(' ')),
  ].join(' ');
}

/** What a part of a query can be that is a name: src/catalog/read/search/text.ts. */
const WHOLE_NAME = /^[a-z0-9._:/-]{1,511}$/;

function lexemesOf(mark: string, text: string): string[] {
  return Array.from(wordsOf(text.slice(0, MAX_TEXT)), (word) => `'${mark}${word}'`);
}
