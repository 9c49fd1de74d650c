-- What the images of catalog.sql hold: 30,000 sets of 300 packages for 150,000 images, of some 180,000 packages; or a part
-- of each, as there. Two thirds of a set are packages of its release of an operating system, one of 40; the others are of a
-- language, any of five versions each.

-- Counts are made at the end, for all at once.
set session_replication_role = replica;

insert into package (id, type, name, version, purl, licenses)
select n, 'APK', case when n <= 40 then 'openssl' else 'system-' || (n - 1) / 40 end, '3.0.' || 1 + (n - 1) % 40 || '-r0',
  'pkg:apk/alpine/' || case when n <= 40 then 'openssl' else 'system-' || (n - 1) / 40 end || '@3.0.' || 1 + (n - 1) % 40 || '-r0',
  '{MIT}'::text[]
from generate_series(1, 80000) n
union all
select 80000 + n, 'NPM', 'language-' || (n - 1) / 5, '1.' || 1 + (n - 1) % 5 || '.0',
  'pkg:npm/language-' || (n - 1) / 5 || '@1.' || 1 + (n - 1) % 5 || '.0', '{MIT,Apache-2.0}'::text[]
from generate_series(1, 100000) n;

insert into package_text (name, document)
select name, package_document(name) from (select distinct name from package) names;

insert into package_set (id, digest, types)
select n, sha256(convert_to('set ' || n, 'UTF8')), '{APK,NPM}' from generate_series(1, pg_temp.scaled(30000)) n;

insert into package_set_entry (set_id, package_id)
select s.id, 1 + s.id % 40 + 40 * case when j = 0 then 0 else (s.id * 7 + j) % 2000 end
from package_set s, generate_series(0, 199) j
union
select s.id, 80001 + 5 * ((s.id * 131 + j * j) % 20000) + (s.id + j) % 5
from package_set s, generate_series(1, 100) j;

insert into image_contents (image_id, origin, inspected_at, os_id, os_version_id, os_name, shells, package_managers, kernels,
  file_count, operating_system_size, dependency_size, application_size, metadata_size, wasted_size, package_set_id,
  package_layers, package_count)
select i.manifest_id, 'LAYERS', '2026-01-01', 'alpine', '3.' || set_id % 40 || '.1', 'Alpine Linux',
  case when i.manifest_id % 50 = 0 then '{}' else '{/bin/sh}' end::text[], '{/sbin/apk}', '{}', 2000, 5e6, 2e7, 3e6, 1e6,
  (random() ^ 8 * 1e8)::bigint, set_id, layers.of_packages, cardinality(layers.of_packages)
from (
  select manifest_id, 1 + manifest_id % (select count(*)::int from package_set) as set_id from image
) i
join (
  select set_id, array_agg(0::smallint order by package_id) as of_packages from package_set_entry group by set_id
) layers using (set_id);

update package_set s set image_count = counts.images
from (select package_set_id, count(*) as images from image_contents group by 1) counts where counts.package_set_id = s.id;

update package p set image_count = counts.images
from (
  select e.package_id, sum(s.image_count) as images from package_set_entry e join package_set s on s.id = e.set_id group by 1
) counts where counts.package_id = p.id;

reset session_replication_role;
