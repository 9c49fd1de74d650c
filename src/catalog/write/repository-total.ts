import type { Connection } from '../database.ts';
import type { RepositoryPlace } from './repository.ts';

/**
 * Counts what the tags of a repository, and the movements of its tags, are about: the images that they reach, by
 * operating system and architecture, and the manifests that they name, by media type. A movement is about what it came
 * to or, where a tag was deleted, what that named. Part of recountRepository.
 */
export async function countNames(connection: Connection, place: RepositoryPlace): Promise<void> {
  await connection.run(
    `/* catalog.countNames */
     with recursive counted as (
       select id from repository where registry_id = $1::int and name = $2
     ), named as materialized (
       select manifest_id, sum(tags) as tags, sum(events) as events
       from (
         select t.manifest_id, 1 as tags, 0 as events from counted join tag t on t.repository_id = counted.id
         union all
         select case e.kind when 'DELETED' then e.from_id else e.to_id end, 0, 1 from counted join tag_event e on e.repository_id = counted.id
       ) each where manifest_id is not null group by manifest_id
     ), below (top, id) as (
       select manifest_id, manifest_id from named
       union
       select below.top, x.child_id from below join index_entry x on x.index_id = below.id where x.child_id is not null
     ), about as (
       select distinct below.top as id, s.scope, s.key
       from below join image i on i.manifest_id = below.id
       cross join lateral (values ('OS', i.os), ('ARCHITECTURE', i.architecture)) s (scope, key)
       union all
       select m.id, 'MEDIA_TYPE', m.media_type from named join manifest m on m.id = named.manifest_id
     ), total as materialized (
       select about.scope, about.key, sum(named.tags) as tags, sum(named.events) as events
       from about join named on named.manifest_id = about.id group by 1, 2
     ), gone as (
       delete from repository_total r using counted
       where r.repository_id = counted.id
         and not exists (select from total where total.scope = r.scope and total.key = r.key)
     )
     insert into repository_total as r (repository_id, scope, key, tags, events)
     select counted.id, total.scope, total.key, total.tags, total.events from counted cross join total
     on conflict (repository_id, scope, key) do update set tags = excluded.tags, events = excluded.events
     where (r.tags, r.events) <> (excluded.tags, excluded.events)`,
    [place.registryId, place.name],
  );
}
