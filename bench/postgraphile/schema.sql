-- What somebody who serves this catalog with PostGraphile would add to it: digests as text, and a search by name.
-- Simple enough to be inlined, so that nothing is called for each row.

create function manifest_digest_text(manifest manifest) returns text language sql immutable parallel safe
  return digest_text(manifest.digest);

create function layer_diff_id_text(layer layer) returns text language sql immutable parallel safe
  return digest_text(layer.diff_id);

create function layer_blob_digest_text(blob layer_blob) returns text language sql immutable parallel safe
  return digest_text(blob.digest);

create function image_layer_chain_id_text(layer image_layer) returns text language sql immutable parallel safe
  return digest_text(layer.chain_id);

create function repositories_named(text text) returns setof repository language sql stable parallel safe
begin atomic
  select r.* from repository r where (r.name || ' ' || coalesce(r.description, '')) ilike '%' || text || '%'
  order by r.name, r.id;
end;
