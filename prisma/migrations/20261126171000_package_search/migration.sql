-- What Prisma's schema can't say; its drift check passes these by.

-- What a package is found by, as repositories are: =name .word of it ~place~word that lacks its letter there. A search
-- asks the index alone, so that no document is kept.
CREATE FUNCTION "package_document"(name text) RETURNS tsvector
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    WITH part AS (
      SELECT part FROM regexp_split_to_table(lower(left(name, 400)), '[/:@]+') part WHERE part <> ''
      UNION
      SELECT unnest(words(name))
    )
    SELECT array_to_tsvector(
      ARRAY['=' || lower(left(name, 400)), '=' || substring(lower(left(name, 400)) from '[^/:@]*$')]
        || array(SELECT '.' || part FROM part)
        || array(SELECT unnest(spellings(part)) FROM part WHERE length(part) BETWEEN 4 AND 32 AND part ~ '[a-z]')
    )
  );

CREATE INDEX "package_document" ON "package" USING gin (package_document(name));
