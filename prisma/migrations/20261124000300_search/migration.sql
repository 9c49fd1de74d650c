-- What search reads, and nothing else. A document is a set of words, each with a mark that says where it stands:
--   of a repository  =path  .word of the name  *end of one  ~place~word that lacks its letter there
--                    word of the description  +word of what an organisation says of it
--   of an image      @word of a label  +word of an annotation  word of an instruction  #block of 1,024 ids
-- Marks keep the words of one place apart in the index, so that it alone decides and no document is read.

-- CreateTable
CREATE TABLE "repository_text" (
    "repository_id" INTEGER NOT NULL,
    "standing" INTEGER NOT NULL,
    "document" tsvector NOT NULL,

    CONSTRAINT "repository_text_pkey" PRIMARY KEY ("repository_id")
);

-- CreateTable
CREATE TABLE "image_text" (
    "image_id" INTEGER NOT NULL,
    "document" tsvector NOT NULL,

    CONSTRAINT "image_text_pkey" PRIMARY KEY ("image_id")
);

-- AddForeignKey
ALTER TABLE "repository_text" ADD CONSTRAINT "repository_text_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "repository"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "image_text" ADD CONSTRAINT "image_text_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "image"("manifest_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema can't say; its drift check passes these by.

-- The index decides, and no document is read again: to compress them would be work for nothing.
ALTER TABLE "repository_text" SET (toast_tuple_target = 8160);

ALTER TABLE "image_text" SET (toast_tuple_target = 8160);

-- The words of a text, as src/domain/words.ts finds them: the scripts are listed because a database in the locale C knows
-- no letters but those of ASCII.
CREATE FUNCTION "words"(content text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN array(
    SELECT left(word, 64)
    FROM regexp_split_to_table(
      regexp_replace(lower(left(content, 4000)), '([\u3040-\u30ff\u3400-\u9fff])', ' \1 ', 'g'),
      '[^[:alnum:]\u00aa\u00b5\u00ba\u00c0-\u1fff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufdff\uff21-\uffdc\U00020000-\U0003ffff]+'
    ) word
    WHERE word <> ''
  );

-- A word lacking each of its letters in turn: what it shares with every word that is one letter away from it.
CREATE FUNCTION "spellings"(word text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN array(
    SELECT '~' || place || '~' || overlay(word placing '' FROM place FOR 1) FROM generate_series(1, length(word)) place
  );

-- The ends of a word, of 2 letters and more: what stands within it is the beginning of one.
CREATE FUNCTION "endings"(word text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN array(SELECT '*' || substring(word FROM place) FROM generate_series(2, length(word) - 1) place);

-- The document of a repository. A name is found as it is written with and without its host, by its last part, and by
-- the words in it, also by what stands within these; those of 4 letters and more when one letter of them is wrong, too.
CREATE FUNCTION "repository_document"(host text, name text, description text, details text) RETURNS tsvector
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    WITH part AS (
      SELECT part FROM string_to_table(name, '/') part UNION SELECT unnest(words(name))
    )
    SELECT array_to_tsvector(
      ARRAY['=' || host || '/' || name, '=' || name, '=' || substring(name from '[^/]*$')]
        || (SELECT array_agg('.' || part) FROM part)
        || array(SELECT unnest(endings(part)) FROM part WHERE length(part) <= 32 AND part ~ '[a-z]')
        || array(SELECT unnest(spellings(part)) FROM part WHERE length(part) BETWEEN 4 AND 32 AND part ~ '[a-z]')
        || words(description)
        || array(SELECT '+' || unnest(words(details)))
    )
  );

-- What decides between repositories that match a text equally well, from 0 to 255,999: whether it is official, its pulls
-- and its stars by their number of digits; then the shorter name.
CREATE FUNCTION "repository_standing"(host text, name text, pulls bigint, stars bigint) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 256 * least(
    CASE WHEN host = 'docker.io' AND starts_with(name, 'library/') THEN 400 ELSE 0 END
      + (45 * log(1 + coalesce(greatest(pulls, 0), 0)))::int + (20 * log(1 + coalesce(greatest(stars, 0), 0)))::int,
    999
  ) + 255 - least(length(name), 255);

CREATE FUNCTION "record_repository_text"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO repository_text (repository_id, standing, document)
  SELECT
    NEW.id,
    repository_standing(g.host, NEW.name, NEW.pull_count, NEW.star_count),
    repository_document(
      g.host, NEW.name, NEW.description,
      concat_ws(' ', NEW.owner, NEW.team, NEW.lifecycle,
        (SELECT string_agg(key || ' ' || value, ' ') FROM jsonb_each_text(NEW.annotations)))
    )
  FROM registry g WHERE g.id = NEW.registry_id
  ON CONFLICT (repository_id) DO UPDATE SET standing = EXCLUDED.standing, document = EXCLUDED.document
    WHERE (repository_text.standing, repository_text.document) IS DISTINCT FROM (EXCLUDED.standing, EXCLUDED.document);
  RETURN NULL;
END $$;

-- A repository is described by the sync, by its registry's own API and by people: none of them has to know of search.
CREATE TRIGGER "repository_text_insert" AFTER INSERT ON "repository"
  FOR EACH ROW EXECUTE FUNCTION record_repository_text();

CREATE TRIGGER "repository_text_update"
  AFTER UPDATE OF name, registry_id, description, pull_count, star_count, owner, team, lifecycle, annotations ON "repository"
  FOR EACH ROW EXECUTE FUNCTION record_repository_text();

-- What is there already. From here on the worker writes the documents of images as it writes the images.
INSERT INTO repository_text (repository_id, standing, document)
SELECT
  r.id,
  repository_standing(g.host, r.name, r.pull_count, r.star_count),
  repository_document(
    g.host, r.name, r.description,
    concat_ws(' ', r.owner, r.team, r.lifecycle,
      (SELECT string_agg(key || ' ' || value, ' ') FROM jsonb_each_text(r.annotations)))
  )
FROM repository r JOIN registry g ON g.id = r.registry_id;

INSERT INTO image_text (image_id, document)
SELECT
  i.manifest_id,
  array_to_tsvector(
    array(SELECT '@' || unnest(words((SELECT string_agg(key || ' ' || value, ' ') FROM jsonb_each_text(i.labels)))))
      || array(SELECT '+' || unnest(words((SELECT string_agg(key || ' ' || value, ' ') FROM jsonb_each_text(m.annotations)))))
      || words(concat_ws(' ',
        i.run_config ->> 'entrypoint', i.run_config ->> 'command',
        (SELECT string_agg(step ->> 'createdBy', ' ' ORDER BY place DESC)
         FROM jsonb_array_elements(i.history) WITH ORDINALITY AS steps (step, place))))
      || ARRAY['#' || (i.manifest_id >> 10)]
  )
FROM image i JOIN manifest m ON m.id = i.manifest_id;

CREATE INDEX "repository_text_document" ON "repository_text" USING gin (document);

-- A short list of what is pending, since every search reads it.
CREATE INDEX "image_text_document" ON "image_text" USING gin (document) WITH (gin_pending_list_limit = 512);

-- An image by the first digits of its ID, which narrow it down to a few; the whole digests would be an index ten times
-- as wide.
CREATE INDEX "image_config_prefix" ON "image" (substring(config_digest FROM 1 FOR 4));
