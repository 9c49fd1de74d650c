-- Manifests without a tag of which a sync could not find out whether their registry still has them.
-- AlterTable
ALTER TABLE "repository_manifest" ADD COLUMN "is_doubtful" BOOLEAN NOT NULL DEFAULT false;

-- What Prisma's schema can't say. Mostly empty.
CREATE INDEX "repository_manifest_doubtful" ON "repository_manifest" ("repository_id") WHERE "is_doubtful";
