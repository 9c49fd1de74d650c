-- Of the indexes above these manifests, those that stay when all of these are deleted together, as before: one that a tag
-- names, one that reaches an image which does not go, and all that such an index lists. Images that containers were
-- created from don't go, whether or not they are among these.
CREATE OR REPLACE FUNCTION "kept_indexes"(selected integer[], repository integer) RETURNS SETOF integer LANGUAGE sql STABLE AS $$
  with recursive chosen (id) as materialized (
    select distinct unnest(selected)
  ), going (id) as materialized (
    select chosen.id
    from chosen where not exists (select from image i where i.manifest_id = chosen.id and i.container_count > 0)
  ), above (id) as (
    select x.index_id
    from chosen join index_entry x on x.child_id = chosen.id
    where not exists (select from chosen c where c.id = x.index_id)
      and (repository is null
        or exists (select from repository_manifest c where c.repository_id = repository and c.manifest_id = x.index_id))
    union
    select x.index_id
    from above join index_entry x on x.child_id = above.id
    where not exists (select from chosen c where c.id = x.index_id)
      and (repository is null
        or exists (select from repository_manifest c where c.repository_id = repository and c.manifest_id = x.index_id))
  ), below (id) as (
    select above.id from above
    union
    select x.child_id from below join index_entry x on x.index_id = below.id where x.child_id is not null
  ), reaching (id) as (
    select i.manifest_id
    from below join image i on i.manifest_id = below.id
    where not exists (select from going where going.id = i.manifest_id)
    union
    select x.index_id
    from reaching join index_entry x on x.child_id = reaching.id join below on below.id = x.index_id
  ), kept (id) as (
    select above.id
    from above
    where exists (select from reaching where reaching.id = above.id)
      or exists (
        select from tag t
        where t.manifest_id = above.id and (repository is null or t.repository_id = repository)
      )
    union
    select x.child_id from kept join index_entry x on x.index_id = kept.id join above on above.id = x.child_id
  )
  select kept.id from kept
$$;
