-- Repositories that a registry does not let be read any more, and when what refers to their tags was last asked for.
-- AlterTable
ALTER TABLE "repository" ADD COLUMN "missing_since" TIMESTAMPTZ(3),
ADD COLUMN "unavailable_since" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "repository_sync" ADD COLUMN "referrers_at" TIMESTAMPTZ(3);
