-- What packages are found by: the words of their names, with marks, once for all versions of a name.
-- CreateTable
CREATE TABLE "package_text" (
    "name" TEXT COLLATE "C" NOT NULL,
    "document" tsvector NOT NULL,

    CONSTRAINT "package_text_pkey" PRIMARY KEY ("name")
);

-- What Prisma's schema can't say; its drift check passes these by.

-- The index decides, and no document is read again: to compress them would be work for nothing.
ALTER TABLE "package_text" SET (toast_tuple_target = 8160);

CREATE INDEX "package_text_document" ON "package_text" USING gin ("document");

-- As of repositories: =name .word of it ~place~word that lacks its letter there.
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

CREATE FUNCTION "record_package_texts"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO package_text (name, document)
  SELECT n.name, package_document(n.name)
  FROM (
    SELECT DISTINCT a.name FROM after a WHERE NOT EXISTS (SELECT FROM package_text t WHERE t.name = a.name) ORDER BY 1
  ) n
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION "forget_package_texts"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM package_text t
  WHERE t.name IN (SELECT b.name FROM before b) AND NOT EXISTS (SELECT FROM package p WHERE p.name = t.name);
  RETURN NULL;
END $$;

CREATE TRIGGER "package_text_insert" AFTER INSERT ON "package"
  REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION record_package_texts();

CREATE TRIGGER "package_text_delete" AFTER DELETE ON "package"
  REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION forget_package_texts();

-- Packages that were there before.
INSERT INTO package_text (name, document)
SELECT n.name, package_document(n.name) FROM (SELECT DISTINCT name FROM package) n;
