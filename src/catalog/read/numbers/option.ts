import sql, { raw, type Sql } from 'sql-template-tag';
import { CatalogError } from '../../../domain/errors.ts';
import type { Connection } from '../../database.ts';
import { storable, TRUE } from '../filter.ts';
import { lengthOf, MAX_PAGE } from '../page.ts';

export type OptionKind = 'REGISTRY' | 'REPOSITORY' | 'RUNTIME' | 'OS' | 'ARCHITECTURE' | 'OPERATING_SYSTEM';

export interface OptionArguments {
  readonly kind: OptionKind;
  readonly text?: string | null;
  readonly first?: number | null;
}

/** What a list shows, and what it stands for. */
export interface OptionRecord {
  readonly text: string;
  readonly value: string;
}

export function optionReads(connection: Connection) {
  return {
    /** By their text, character by character; as many as a page may have where nothing is said. */
    options: async ({ kind, text, first }: OptionArguments): Promise<OptionRecord[]> => {
      const size = lengthOf(first, MAX_PAGE);
      if (text != null && text.length > MAX_TEXT) {
        throw new CatalogError(
          'INVALID_ARGUMENT',
          `text has ${text.length} characters: write a part of a name, of ${MAX_TEXT} characters at most.`,
        );
      }
      return connection.query<{ text: string; value: string }>(
        sql`/* catalog.options */
select text, value from (${OPTIONS[kind](text ?? '', size)}) option order by text collate "C", value collate "C" limit ${size}`,
      );
    },
  };
}

/** Longer than any name: registry, repository and their titles. */
const MAX_TEXT = 400;

const OPTIONS: Record<OptionKind, (text: string, size: number) => Sql> = {
  REGISTRY: (text) =>
    sql`select coalesce(g.title, g.host) as text, g.host as value from registry g where ${holds(sql`coalesce(g.title, g.host) || ' ' || g.host`, text)}`,
  // Each registry's first ones in the order of its names, so that no more are read than are shown.
  REPOSITORY: (text, size) =>
    sql`select g.host || '/' || r.name as text, g.host || '/' || r.name as value from registry g cross join lateral (select r.name from repository r where r.registry_id = g.id and ${holds(sql`g.host || '/' || r.name`, text)} order by r.name limit ${size}) r`,
  RUNTIME: (text) => sql`select n.name as text, n.name as value from runtime n where ${holds(raw('n.name'), text)}`,
  OS: (text) => scopeOption('OS', text),
  ARCHITECTURE: (text) => scopeOption('ARCHITECTURE', text),
  OPERATING_SYSTEM: (text) =>
    sql`select name as text, name as value from (select concat_ws(' ', x.os_id, x.os_version_id) as name from image_contents x where x.os_id is not null group by x.os_id, x.os_version_id) system where ${holds(raw('name'), text)}`,
};

function scopeOption(scope: 'OS' | 'ARCHITECTURE', text: string): Sql {
  return sql`select t.key as text, t.key as value from held_total t where t.scope = ${scope} and t.images > 0 and ${holds(raw('t.key'), text)}`;
}

/** In any case of its letters. */
function holds(expression: Sql, text: string): Sql {
  if (text === '') return TRUE;
  const pattern = `%${storable(text).replace(/[\\%_]/g, '\\$&')}%`;
  return sql`(${expression}) ilike ${pattern}`;
}
