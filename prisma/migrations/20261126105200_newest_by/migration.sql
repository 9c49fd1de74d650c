-- Which tags of a repository are its newest: by version, or by when they were pushed.
-- AlterTable
ALTER TABLE "sync_run" ADD COLUMN "newest_by" TEXT NOT NULL DEFAULT 'VERSION';

-- AlterTable
ALTER TABLE "sync_source" ADD COLUMN "newest_by" TEXT NOT NULL DEFAULT 'VERSION';
