import sql, { raw, type Sql } from 'sql-template-tag';
import { allOf, storable } from './filter.ts';

/** Shorter words are in no piece. */
const PIECE_LENGTH = 5;

/**
 * Over repository r. Pieces find those that have the longer words in them, which are few. Trigrams find the others: of a
 * frequent one that is as many as there are, and so they are left to texts of short words.
 */
export function repositoryHolds(text: string): Sql[] {
  const words = wordsOf(text);
  const isShort = (word: string) => [...word].length < PIECE_LENGTH;
  if (words.every(isShort)) {
    return words.map((word) => sql`${REPOSITORY_TEXT} ilike ${patternOf(word)}`);
  }
  const held = words.flatMap((word) => {
    const lower = sql`(select lower(${word}::text collate "C"))`;
    const holds = sql`strpos(x.content, ${lower}) > 0`;
    return isShort(word) ? [holds] : [sql`pieces(x.content) @> (select pieces(${lower}))`, holds];
  });
  return [sql`r.id in (select x.repository_id from repository_text x where ${allOf(held)})`];
}

/** Over repository r, as its index of trigrams has it. */
export const REPOSITORY_TEXT = raw(`(r.name || ' ' || coalesce(r.description, ''))`);

/** What `REPOSITORY_TEXT` must be like to hold every word of a text, wherever it stands. */
export function patternsOf(text: string): string[] {
  return wordsOf(text).map(patternOf);
}

function wordsOf(text: string): string[] {
  return storable(text).slice(0, 200).split(/\s+/).filter(Boolean).slice(0, 10);
}

function patternOf(word: string): string {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`;
}
