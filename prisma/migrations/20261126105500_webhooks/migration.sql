-- Registries tell what changed, and what they tell of is looked at.
ALTER TABLE "registry" ADD COLUMN "webhook_secret" BYTEA;

ALTER TABLE "sync_run" ADD COLUMN "notified_at" TIMESTAMPTZ(3),
ADD COLUMN "repository" TEXT;

-- A source has one unfinished run of all of it at most, and one that waits for each repository that it was told of.
DROP INDEX "sync_run_unfinished";
CREATE UNIQUE INDEX "sync_run_unfinished" ON "sync_run" (source_id) WHERE finished_at IS NULL AND repository IS NULL;
CREATE UNIQUE INDEX "sync_run_notified" ON "sync_run" (source_id, repository)
  WHERE status = 'QUEUED' AND repository IS NOT NULL;
