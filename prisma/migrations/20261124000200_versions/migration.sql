-- The version in a tag's name (src/domain/version.ts). What stands in these columns can't be told in SQL: tags that were
-- there before have the group "?" until catalog/migrate.ts has told it, right after this.
-- AlterTable
ALTER TABLE "tag" ADD COLUMN "version_group" TEXT COLLATE "C" NOT NULL DEFAULT '?',
ADD COLUMN "version_key" TEXT COLLATE "C" NOT NULL DEFAULT '';

-- CreateIndex
CREATE INDEX "tag_version_key_id_idx" ON "tag"("version_key", "id");

-- CreateIndex
CREATE INDEX "tag_repository_id_version_key_id_idx" ON "tag"("repository_id", "version_key", "id");

-- CreateIndex
CREATE INDEX "tag_repository_id_first_seen_at_id_idx" ON "tag"("repository_id", "first_seen_at", "id");

-- CreateIndex
CREATE INDEX "repository_registry_id_updated_at_id_idx" ON "repository"("registry_id", "updated_at", "id");

-- CreateIndex
CREATE INDEX "repository_registry_id_tag_count_id_idx" ON "repository"("registry_id", "tag_count", "id");

-- CreateIndex
CREATE INDEX "repository_registry_id_stored_size_id_idx" ON "repository"("registry_id", "stored_size", "id");

-- What Prisma's schema can't say.

CREATE INDEX "repository_registry_pull_count" ON "repository" ("registry_id", coalesce("pull_count", -1), "id");

CREATE INDEX "repository_registry_star_count" ON "repository" ("registry_id", coalesce("star_count", -1), "id");

-- Newer tags of a tag: only those that are there, and only among versions.
CREATE INDEX "tag_newer" ON "tag" ("repository_id", "version_group", "version_key", "id")
  WHERE "deleted_at" IS NULL AND "version_group" <> '';

-- Empty but for a moment.
CREATE INDEX "tag_unread_version" ON "tag" ("id") WHERE "version_group" = '?';
