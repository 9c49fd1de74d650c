-- A catalog of 20,000 repositories, 200,000 tags, 150,000 images and 300,000 layers, as content and as names; or of a
-- part of each, where bench.images says how many images there are to be.
-- Images stand on each other in three levels, as real ones do: 3,000 bases, 30,000 on one of those, the others on one of
-- these. Each adds its own layers to the stack below it, so that chain ids of shared parts are equal.
-- Documents (manifest.raw) are short here: no query that is measured reads them.

-- Foreign keys are not checked while rows come in by the million.
set session_replication_role = replica;
select setseed(0.5);

create function pg_temp.scaled(n int) returns int language sql stable
  return n::bigint * coalesce(current_setting('bench.images', true), '150000')::int / 150000;

create temp table later as
select indexdef, indexrelid::regclass::text as name
from pg_index join pg_indexes on indexname = indexrelid::regclass::text
where not indisunique and tablename in ('image', 'layer', 'layer_blob', 'image_layer', 'manifest', 'tag', 'tag_event', 'repository_manifest', 'repository_text', 'image_text');

do $$
declare name text;
begin
  for name in select later.name from later loop
    execute format('drop index %I', name);
  end loop;
end $$;

insert into registry (id, host, kind, url, managed_by)
select n, 'registry-' || n || '.example.com', 'OCI', 'https://registry-' || n || '.example.com', 'API'
from generate_series(1, 5) n;

insert into repository (id, registry_id, name, description, star_count, pull_count, first_seen_at, updated_at)
select n, 1 + n % 5, 'team-' || n % 400 || '/' || (array['web', 'api', 'worker', 'proxy', 'search', 'mail'])[1 + n % 6] || '-' || n,
  'What team ' || n % 400 || ' runs for its service ' || n, n % 500, (random() ^ 4 * 1e8)::bigint,
  '2025-01-01'::timestamptz + n * interval '1 minute', '2026-01-01'::timestamptz + n * interval '1 minute'
from generate_series(1, pg_temp.scaled(20000)) n;

insert into layer (id, diff_id, size, uncompressed_size, is_foreign, is_empty, first_seen_at)
select n, sha256(convert_to('files ' || n, 'UTF8')), size, null, false, false, '2025-01-01'::timestamptz + n * interval '1 minute'
from (select n, 1000 + (random() ^ 5 * 2e8)::bigint as size from generate_series(1, pg_temp.scaled(300000)) n) layers;

insert into layer_blob (id, layer_id, digest, media_type, size, urls)
select id, id, sha256(convert_to('blob ' || id, 'UTF8')), 'application/vnd.oci.image.layer.v1.tar+gzip', size, '{}' from layer;

-- What each image stands on, and the layers that it adds.
create temp table plan as
select n as image_id, 0 as level, null::int as below from generate_series(1, pg_temp.scaled(3000)) n
union all
select n, 1, 1 + floor(pg_temp.scaled(3000) * random() ^ 3)::int
from generate_series(pg_temp.scaled(3000) + 1, pg_temp.scaled(33000)) n
union all
select n, 2, pg_temp.scaled(3000) + 1 + floor(pg_temp.scaled(30000) * random() ^ 2)::int
from generate_series(pg_temp.scaled(33000) + 1, pg_temp.scaled(150000)) n;

create temp table added as
select image_id, level, step,
  case
    when level = 0 then 1 + (image_id * 4 + step) % pg_temp.scaled(10000)
    when level = 1 then pg_temp.scaled(10000) + 1 + (image_id * 4 + step) % pg_temp.scaled(120000)
    when step = 0 then pg_temp.scaled(97000) + image_id
    else pg_temp.scaled(247000) + 1 + floor(pg_temp.scaled(53000) * random() ^ 2)::int
  end as layer_id
from plan, generate_series(0, case level when 0 then 3 + image_id % 2 else 1 + image_id % 3 end) step;
create index on added (level, step);

create temp table stack (image_id int, position int, layer_id int, chain_id bytea);
create index on stack (image_id);
create temp table top (image_id int primary key, depth int, chain_id bytea);

do $$
begin
  for level_now in 0..2 loop
    insert into stack
    select p.image_id, s.position, s.layer_id, s.chain_id
    from plan p join stack s on s.image_id = p.below where p.level = level_now;
    insert into top
    select p.image_id, coalesce(t.depth, 0), t.chain_id
    from plan p left join top t on t.image_id = p.below where p.level = level_now;
    for step_now in 0..4 loop
      analyze top;
      with pushed as (
        insert into stack
        select a.image_id, t.depth, a.layer_id,
          case
            when t.chain_id is null then l.diff_id
            else sha256(convert_to('sha256:' || encode(t.chain_id, 'hex') || ' sha256:' || encode(l.diff_id, 'hex'), 'UTF8'))
          end
        from added a join top t on t.image_id = a.image_id join layer l on l.id = a.layer_id
        where a.level = level_now and a.step = step_now
        returning image_id, chain_id
      )
      update top t set depth = t.depth + 1, chain_id = p.chain_id from pushed p where p.image_id = t.image_id;
    end loop;
    analyze stack;
  end loop;
end $$;

insert into image_layer (image_id, position, layer_id, blob_id, chain_id)
select image_id, position, layer_id, layer_id, chain_id from stack order by image_id, position;

insert into manifest (id, digest, kind, media_type, size, raw, first_seen_at)
select n, sha256(convert_to('manifest ' || n, 'UTF8')), 'IMAGE', 'application/vnd.oci.image.manifest.v1+json', 2400,
  convert_to('{"schemaVersion":2,"image":' || n || '}', 'UTF8'), '2025-01-01'::timestamptz + n * interval '1 minute'
from generate_series(1, pg_temp.scaled(150000)) n;

insert into image (manifest_id, config_digest, os, architecture, os_features, created_at, run_config, labels, history,
  layer_count, size, top_chain_id, first_seen_at)
select m.id, sha256(convert_to('config ' || m.id, 'UTF8')), case when m.id % 20 = 0 then 'windows' else 'linux' end,
  (array['amd64', 'amd64', 'amd64', 'arm64', 'arm64', 'arm', 's390x'])[1 + m.id % 7], '{}',
  '2024-01-01'::timestamptz + m.id * interval '1 minute',
  jsonb_build_object(
    'entrypoint', jsonb_build_array('/usr/local/bin/service'), 'command', jsonb_build_array('--port', '8080'),
    'environment', jsonb_build_array(jsonb_build_object('name', 'PATH', 'value', '/usr/local/bin:/usr/bin:/bin')),
    'user', '1000', 'workingDirectory', '/srv', 'exposedPorts', jsonb_build_array(jsonb_build_object('port', 8080, 'protocol', 'tcp')),
    'volumes', '[]'::jsonb, 'stopSignal', null, 'shell', null, 'onBuild', '[]'::jsonb, 'healthcheck', null),
  jsonb_build_object('org.opencontainers.image.title', 'service-' || m.id % 20000, 'org.opencontainers.image.version', '1.' || m.id % 40),
  (
    select jsonb_agg(jsonb_build_object('createdAt', '2026-01-01T00:00:00.000Z', 'createdBy', 'RUN make step ' || step,
      'author', null, 'comment', 'buildkit.dockerfile.v0', 'isEmptyLayer', false))
    from generate_series(1, t.depth) step
  ),
  t.depth, sizes.size, t.chain_id, m.first_seen_at
from manifest m
join top t on t.image_id = m.id
join (select s.image_id, sum(l.size) as size from stack s join layer l on l.id = s.layer_id group by 1) sizes on sizes.image_id = m.id;

update layer l set image_count = counts.images
from (select layer_id, count(distinct image_id) as images from stack group by 1) counts where counts.layer_id = l.id;

-- Every repository has tags, the first hundredth of them 60 and more.
insert into tag (id, repository_id, name, version_group, version_key, manifest_id, first_seen_at, moved_at)
select n,
  case
    when n <= pg_temp.scaled(20000) then n
    when n <= pg_temp.scaled(32000) then 1 + n % pg_temp.scaled(200)
    else 1 + floor(pg_temp.scaled(20000) * random() ^ 1.5)::int
  end,
  '1.' || n % 40 || '.' || n, '3//', '11' || length(text(n % 40)) || n % 40 || length(text(n)) || n || '.',
  1 + floor(pg_temp.scaled(150000) * random())::int,
  '2025-01-01'::timestamptz + n * interval '1 minute', '2025-01-01'::timestamptz + n * interval '1 minute'
from generate_series(1, pg_temp.scaled(200000)) n;

insert into repository_manifest (repository_id, manifest_id, first_seen_at)
select repository_id, manifest_id, min(first_seen_at) from tag group by 1, 2;

insert into tag_event (kind, at, repository_id, tag_id, from_id, to_id)
select 'CREATED', first_seen_at, repository_id, id, null, manifest_id from tag order by id;

-- What the worker counts as it writes.
create temp table holding as
select distinct rm.repository_id, r.registry_id, rm.manifest_id as image_id
from repository_manifest rm join repository r on r.id = rm.repository_id;

update repository r set tag_count = names.tags, event_count = names.tags
from (select repository_id, count(*) as tags from tag group by 1) names where names.repository_id = r.id;

update repository r set image_count = held.images, nominal_size = held.size
from (
  select h.repository_id, count(*) as images, sum(i.size) as size
  from holding h join image i on i.manifest_id = h.image_id group by 1
) held where held.repository_id = r.id;

-- A layer has one blob here.
update repository r set layer_count = held.layers, stored_size = held.size
from (
  select s.repository_id, count(*) as layers, sum(l.size) as size
  from (select distinct h.repository_id, il.layer_id from holding h join image_layer il on il.image_id = h.image_id) s
  join layer l on l.id = s.layer_id group by 1
) held where held.repository_id = r.id;

insert into held_image (image_id, registry_id) select distinct image_id, registry_id from holding order by 1, 2;

insert into held_blob (blob_id, registry_id, os, architecture)
select il.blob_id, h.registry_id, i.os, i.architecture
from held_image h join image i on i.manifest_id = h.image_id join image_layer il on il.image_id = h.image_id
group by 1, 2, 3, 4 order by 1, 2, 3, 4;

-- Each image, layer and blob once in every scope.
insert into held_total (scope, key, images, layers, nominal_size, stored_size)
select scope, key, sum(images), sum(layers), sum(nominal_size), sum(stored_size)
from (
  select scope, key, count(*) as images, 0 as layers, sum(size) as nominal_size, 0 as stored_size
  from (
    select s.scope, s.key, i.manifest_id, i.size
    from held_image h join image i on i.manifest_id = h.image_id join manifest m on m.id = h.image_id
    cross join lateral (
      values ('REGISTRY', h.registry_id::text), ('CATALOG', ''), ('OS', i.os), ('ARCHITECTURE', i.architecture),
        ('MEDIA_TYPE', m.media_type)
    ) s (scope, key) group by 1, 2, 3, 4
  ) image group by 1, 2
  union all
  select scope, key, 0, count(*), 0, sum(size)
  from (
    select s.scope, s.key, b.id, b.size
    from held_blob h join layer_blob b on b.id = h.blob_id
    cross join lateral (
      values ('REGISTRY', h.registry_id::text), ('CATALOG', ''), ('OS', h.os), ('ARCHITECTURE', h.architecture),
        ('MEDIA_TYPE', b.media_type)
    ) s (scope, key) group by 1, 2, 3, 4
  ) blob group by 1, 2
) counted group by 1, 2;

-- A tag has one movement here, and names an image.
insert into repository_total (repository_id, scope, key, tags, events)
select t.repository_id, s.scope, s.key, count(*), count(*)
from tag t join image i on i.manifest_id = t.manifest_id join manifest m on m.id = t.manifest_id
cross join lateral (
  values ('OS', i.os), ('ARCHITECTURE', i.architecture), ('MEDIA_TYPE', m.media_type)
) s (scope, key) group by 1, 2, 3;

-- What search reads: triggers are off here, and no worker writes.
insert into repository_text (repository_id, standing, document, content)
select r.id, repository_standing(g.host, r.name, r.pull_count, r.star_count),
  repository_document(g.host, r.name, r.description, null), lower(r.name || ' ' || r.description)
from repository r join registry g on g.id = r.registry_id;

insert into image_text (image_id, document)
select manifest_id, array_to_tsvector(
  array(select '@' || unnest(words(labels::text))) || words(run_config ->> 'entrypoint')
    || words(run_config ->> 'command') || words((select string_agg(step ->> 'createdBy', ' ') from jsonb_array_elements(history) step))
    || array['#' || (manifest_id >> 10)]
)
from image order by manifest_id;

do $$
declare statement text;
begin
  for statement in select indexdef from later loop
    execute statement;
  end loop;
end $$;

drop table later, plan, added, stack, top, holding;
reset session_replication_role;
