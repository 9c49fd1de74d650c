-- What Prisma's schema can't say. Containers that came and went, without what they did in between.
CREATE INDEX "container_event_presence" ON "container_event" ("at", "container_id") WHERE "kind" <> 'STATE_CHANGED';

-- What runs of an image, and where, is counted without a look at the containers, and what stands on what without one at
-- the images.
CREATE INDEX "container_live_use" ON "container" ("image_id", "state", "runtime_id") WHERE "removed_at" IS NULL;
DROP INDEX "image_in_use";
CREATE INDEX "image_in_use" ON "image" ("manifest_id") INCLUDE ("layer_count") WHERE "container_count" > 0;
