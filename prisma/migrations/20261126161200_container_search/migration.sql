-- What containers are found by, as images are: words with marks that say where they stand. Of those that are not removed.
-- CreateTable
CREATE TABLE "container_text" (
    "container_id" INTEGER NOT NULL,
    "document" tsvector NOT NULL,

    CONSTRAINT "container_text_pkey" PRIMARY KEY ("container_id")
);

-- AddForeignKey
ALTER TABLE "container_text" ADD CONSTRAINT "container_text_container_id_fkey" FOREIGN KEY ("container_id") REFERENCES "container"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema can't say; its drift check passes these by.

-- The index decides, and no document is read again: to compress them would be work for nothing.
ALTER TABLE "container_text" SET (toast_tuple_target = 8160);

CREATE INDEX "container_text_document" ON "container_text" USING gin ("document");

-- Containers that were there before; src/catalog/write/container-text.ts has the rest.
INSERT INTO "container_text" ("container_id", "document")
SELECT c.id, array_to_tsvector(array(SELECT DISTINCT unnest(
  array['=' || lower(left(c.name, 400))]
    || array(SELECT '.' || unnest(words(c.name)))
    || array(SELECT '+' || unnest(words(concat_ws(' ', c.workload_namespace, c.workload_name))))
    || words(c.image_reference)
    || array(SELECT '@' || unnest(words((SELECT string_agg(key || ' ' || value, ' ') FROM jsonb_each_text(c.labels)))))
)))
FROM container c WHERE c.removed_at IS NULL;
