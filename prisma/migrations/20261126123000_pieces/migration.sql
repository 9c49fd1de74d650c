-- What the text filter of repositories looks in, and the index for texts of five letters and more: a piece of five letters
-- is in few repositories, where each of the trigrams of a frequent word is in thousands.
-- It stands here and not in repository, whose rows are written anew with each of their counters.
-- AlterTable
ALTER TABLE "repository_text" ADD COLUMN "content" TEXT COLLATE "C";

UPDATE "repository_text" t SET content = lower(r.name || ' ' || coalesce(r.description, ''))
FROM "repository" r WHERE r.id = t.repository_id;

ALTER TABLE "repository_text" ALTER COLUMN "content" SET NOT NULL;

-- What Prisma's schema can't say; its drift check passes these by.

-- All that is five letters long in a text, wherever it begins. Five passes, each by steps of five: the time for a text
-- grows as its length does, where cutting each piece out by its place would go through the text for every one.
CREATE FUNCTION "pieces"(content text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN array(
    SELECT piece[1] FROM generate_series(1, 5) first, regexp_matches(substr(content, first), '.{5}', 'g') piece
  );

CREATE OR REPLACE FUNCTION "record_repository_text"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO repository_text (repository_id, standing, document, content)
  SELECT
    NEW.id,
    repository_standing(g.host, NEW.name, NEW.pull_count, NEW.star_count),
    repository_document(
      g.host, NEW.name, NEW.description,
      concat_ws(' ', NEW.owner, NEW.team, NEW.lifecycle,
        (SELECT string_agg(key || ' ' || value, ' ') FROM jsonb_each_text(NEW.annotations)))
    ),
    lower(NEW.name || ' ' || coalesce(NEW.description, ''))
  FROM registry g WHERE g.id = NEW.registry_id
  ON CONFLICT (repository_id) DO UPDATE
    SET standing = EXCLUDED.standing, document = EXCLUDED.document, content = EXCLUDED.content
    WHERE (repository_text.standing, repository_text.document, repository_text.content)
      IS DISTINCT FROM (EXCLUDED.standing, EXCLUDED.document, EXCLUDED.content);
  RETURN NULL;
END $$;

CREATE INDEX "repository_text_pieces" ON "repository_text" USING gin (pieces(content));
