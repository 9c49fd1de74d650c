-- CreateTable
CREATE TABLE "registry" (
    "id" SERIAL NOT NULL,
    "host" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "title" TEXT,
    "url" TEXT NOT NULL,
    "managed_by" TEXT NOT NULL,
    "credential" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "registry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registry_health" (
    "registry_id" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "checked_at" TIMESTAMPTZ(3),
    "message" TEXT,
    "consecutive_failures" INTEGER NOT NULL DEFAULT 0,
    "rate_limit" INTEGER,
    "rate_limit_remaining" INTEGER,
    "rate_limit_resets_at" TIMESTAMPTZ(3),
    "rate_limit_observed_at" TIMESTAMPTZ(3),

    CONSTRAINT "registry_health_pkey" PRIMARY KEY ("registry_id")
);

-- CreateTable
CREATE TABLE "repository" (
    "id" SERIAL NOT NULL,
    "registry_id" INTEGER NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "description" TEXT,
    "is_private" BOOLEAN,
    "star_count" BIGINT,
    "pull_count" BIGINT,
    "owner" TEXT,
    "team" TEXT,
    "lifecycle" TEXT,
    "documentation_url" TEXT,
    "source_url" TEXT,
    "annotations" JSONB NOT NULL DEFAULT '{}',
    "tag_count" INTEGER NOT NULL DEFAULT 0,
    "stored_size" BIGINT NOT NULL DEFAULT 0,
    "needs_recount" BOOLEAN NOT NULL DEFAULT false,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "repository_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "repository_sync" (
    "repository_id" INTEGER NOT NULL,
    "synced_at" TIMESTAMPTZ(3) NOT NULL,
    "platforms" TEXT[],

    CONSTRAINT "repository_sync_pkey" PRIMARY KEY ("repository_id")
);

-- CreateTable
CREATE TABLE "manifest" (
    "id" SERIAL NOT NULL,
    "digest" BYTEA NOT NULL,
    "kind" TEXT NOT NULL,
    "media_type" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "raw" BYTEA NOT NULL,
    "annotations" JSONB NOT NULL DEFAULT '{}',
    "artifact_type" TEXT,
    "subject" BYTEA,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "manifest_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "image" (
    "manifest_id" INTEGER NOT NULL,
    "config_digest" BYTEA NOT NULL,
    "os" TEXT NOT NULL,
    "architecture" TEXT NOT NULL,
    "variant" TEXT,
    "os_version" TEXT,
    "os_features" TEXT[],
    "created_at" TIMESTAMPTZ(3),
    "author" TEXT,
    "run_config" JSONB NOT NULL,
    "labels" JSONB NOT NULL,
    "history" JSONB NOT NULL,
    "layer_count" INTEGER NOT NULL,
    "size" BIGINT NOT NULL,
    "uncompressed_size" BIGINT,
    "top_chain_id" BYTEA,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "image_pkey" PRIMARY KEY ("manifest_id")
);

-- CreateTable
CREATE TABLE "index_entry" (
    "index_id" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "child_id" INTEGER,
    "media_type" TEXT NOT NULL,
    "os" TEXT,
    "architecture" TEXT,
    "variant" TEXT,
    "os_version" TEXT,
    "os_features" TEXT[],
    "annotations" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "index_entry_pkey" PRIMARY KEY ("index_id","position")
);

-- CreateTable
CREATE TABLE "layer" (
    "id" SERIAL NOT NULL,
    "diff_id" BYTEA NOT NULL,
    "uncompressed_size" BIGINT,
    "size" BIGINT NOT NULL,
    "is_foreign" BOOLEAN NOT NULL,
    "is_empty" BOOLEAN NOT NULL,
    "image_count" INTEGER NOT NULL DEFAULT 0,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "layer_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "layer_blob" (
    "id" SERIAL NOT NULL,
    "layer_id" INTEGER NOT NULL,
    "digest" BYTEA NOT NULL,
    "media_type" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "urls" TEXT[],

    CONSTRAINT "layer_blob_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "image_layer" (
    "image_id" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "layer_id" INTEGER NOT NULL,
    "blob_id" INTEGER NOT NULL,
    "chain_id" BYTEA NOT NULL,

    CONSTRAINT "image_layer_pkey" PRIMARY KEY ("image_id","position")
);

-- CreateTable
CREATE TABLE "repository_manifest" (
    "repository_id" INTEGER NOT NULL,
    "manifest_id" INTEGER NOT NULL,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "gone_at" TIMESTAMPTZ(3),

    CONSTRAINT "repository_manifest_pkey" PRIMARY KEY ("repository_id","manifest_id")
);

-- CreateTable
CREATE TABLE "tag" (
    "id" SERIAL NOT NULL,
    "repository_id" INTEGER NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "manifest_id" INTEGER,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "moved_at" TIMESTAMPTZ(3) NOT NULL,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "tag_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tag_event" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "repository_id" INTEGER NOT NULL,
    "tag_id" INTEGER NOT NULL,
    "from_id" INTEGER,
    "to_id" INTEGER,

    CONSTRAINT "tag_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sync_source" (
    "id" SERIAL NOT NULL,
    "registry_id" INTEGER NOT NULL,
    "repositories" TEXT NOT NULL,
    "tags" TEXT,
    "max_tags" INTEGER,
    "platforms" TEXT[],
    "schedule" TEXT,
    "paused" BOOLEAN NOT NULL DEFAULT false,
    "managed_by" TEXT NOT NULL,
    "next_run_at" TIMESTAMPTZ(3),

    CONSTRAINT "sync_source_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sync_run" (
    "id" BIGSERIAL NOT NULL,
    "registry_id" INTEGER NOT NULL,
    "source_id" INTEGER,
    "status" TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    "repositories" TEXT NOT NULL,
    "tags" TEXT,
    "max_tags" INTEGER,
    "platforms" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "repositories_total" INTEGER,
    "repositories_done" INTEGER NOT NULL DEFAULT 0,
    "tags_seen" BIGINT NOT NULL DEFAULT 0,
    "tags_changed" BIGINT NOT NULL DEFAULT 0,
    "manifests_fetched" BIGINT NOT NULL DEFAULT 0,
    "bytes_fetched" BIGINT NOT NULL DEFAULT 0,
    "requests" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "sync_run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sync_repository" (
    "run_id" BIGINT NOT NULL,
    "name" TEXT NOT NULL,
    "is_done" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "sync_repository_pkey" PRIMARY KEY ("run_id","name")
);

-- CreateTable
CREATE TABLE "sync_error" (
    "id" BIGSERIAL NOT NULL,
    "run_id" BIGINT NOT NULL,
    "repository" TEXT,
    "reference" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 1,
    "will_retry" BOOLEAN NOT NULL,

    CONSTRAINT "sync_error_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "registry_host_key" ON "registry"("host");

-- CreateIndex
CREATE INDEX "repository_updated_at_id_idx" ON "repository"("updated_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "repository_registry_id_name_key" ON "repository"("registry_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "manifest_digest_key" ON "manifest"("digest");

-- CreateIndex
CREATE INDEX "manifest_subject_idx" ON "manifest"("subject");

-- CreateIndex
CREATE INDEX "image_size_manifest_id_idx" ON "image"("size", "manifest_id");

-- CreateIndex
CREATE INDEX "image_os_architecture_size_manifest_id_idx" ON "image"("os", "architecture", "size", "manifest_id");

-- CreateIndex
CREATE INDEX "image_layer_count_manifest_id_idx" ON "image"("layer_count", "manifest_id");

-- CreateIndex
CREATE INDEX "image_first_seen_at_manifest_id_idx" ON "image"("first_seen_at", "manifest_id");

-- CreateIndex
CREATE INDEX "index_entry_child_id_idx" ON "index_entry"("child_id");

-- CreateIndex
CREATE UNIQUE INDEX "layer_diff_id_key" ON "layer"("diff_id");

-- CreateIndex
CREATE INDEX "layer_size_id_idx" ON "layer"("size", "id");

-- CreateIndex
CREATE INDEX "layer_image_count_id_idx" ON "layer"("image_count", "id");

-- CreateIndex
CREATE INDEX "layer_first_seen_at_id_idx" ON "layer"("first_seen_at", "id");

-- CreateIndex
CREATE INDEX "layer_blob_layer_id_idx" ON "layer_blob"("layer_id");

-- CreateIndex
CREATE UNIQUE INDEX "layer_blob_digest_layer_id_media_type_size_key" ON "layer_blob"("digest", "layer_id", "media_type", "size");

-- CreateIndex
CREATE INDEX "image_layer_layer_id_image_id_idx" ON "image_layer"("layer_id", "image_id");

-- CreateIndex
CREATE INDEX "repository_manifest_manifest_id_idx" ON "repository_manifest"("manifest_id");

-- CreateIndex
CREATE INDEX "tag_manifest_id_idx" ON "tag"("manifest_id");

-- CreateIndex
CREATE INDEX "tag_moved_at_id_idx" ON "tag"("moved_at", "id");

-- CreateIndex
CREATE INDEX "tag_first_seen_at_id_idx" ON "tag"("first_seen_at", "id");

-- CreateIndex
CREATE INDEX "tag_repository_id_moved_at_id_idx" ON "tag"("repository_id", "moved_at", "id");

-- CreateIndex
CREATE INDEX "tag_name_id_idx" ON "tag"("name", "id");

-- CreateIndex
CREATE UNIQUE INDEX "tag_repository_id_name_key" ON "tag"("repository_id", "name");

-- CreateIndex
CREATE INDEX "tag_event_repository_id_id_idx" ON "tag_event"("repository_id", "id");

-- CreateIndex
CREATE INDEX "tag_event_tag_id_id_idx" ON "tag_event"("tag_id", "id");

-- CreateIndex
CREATE INDEX "tag_event_to_id_idx" ON "tag_event"("to_id");

-- CreateIndex
CREATE INDEX "tag_event_at_idx" ON "tag_event"("at");

-- CreateIndex
CREATE INDEX "sync_source_next_run_at_idx" ON "sync_source"("next_run_at");

-- CreateIndex
CREATE INDEX "sync_source_registry_id_idx" ON "sync_source"("registry_id");

-- CreateIndex
CREATE INDEX "sync_run_registry_id_id_idx" ON "sync_run"("registry_id", "id");

-- CreateIndex
CREATE INDEX "sync_run_source_id_id_idx" ON "sync_run"("source_id", "id");

-- CreateIndex
CREATE INDEX "sync_error_run_id_id_idx" ON "sync_error"("run_id", "id");

-- AddForeignKey
ALTER TABLE "registry_health" ADD CONSTRAINT "registry_health_registry_id_fkey" FOREIGN KEY ("registry_id") REFERENCES "registry"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "repository" ADD CONSTRAINT "repository_registry_id_fkey" FOREIGN KEY ("registry_id") REFERENCES "registry"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "repository_sync" ADD CONSTRAINT "repository_sync_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "repository"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "image" ADD CONSTRAINT "image_manifest_id_fkey" FOREIGN KEY ("manifest_id") REFERENCES "manifest"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "index_entry" ADD CONSTRAINT "index_entry_index_id_fkey" FOREIGN KEY ("index_id") REFERENCES "manifest"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "index_entry" ADD CONSTRAINT "index_entry_child_id_fkey" FOREIGN KEY ("child_id") REFERENCES "manifest"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "layer_blob" ADD CONSTRAINT "layer_blob_layer_id_fkey" FOREIGN KEY ("layer_id") REFERENCES "layer"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "image_layer" ADD CONSTRAINT "image_layer_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "image"("manifest_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "repository_manifest" ADD CONSTRAINT "repository_manifest_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "repository"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "repository_manifest" ADD CONSTRAINT "repository_manifest_manifest_id_fkey" FOREIGN KEY ("manifest_id") REFERENCES "manifest"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag" ADD CONSTRAINT "tag_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "repository"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag" ADD CONSTRAINT "tag_manifest_id_fkey" FOREIGN KEY ("manifest_id") REFERENCES "manifest"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_event" ADD CONSTRAINT "tag_event_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "repository"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tag_event" ADD CONSTRAINT "tag_event_tag_id_fkey" FOREIGN KEY ("tag_id") REFERENCES "tag"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sync_source" ADD CONSTRAINT "sync_source_registry_id_fkey" FOREIGN KEY ("registry_id") REFERENCES "registry"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sync_run" ADD CONSTRAINT "sync_run_registry_id_fkey" FOREIGN KEY ("registry_id") REFERENCES "registry"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sync_run" ADD CONSTRAINT "sync_run_source_id_fkey" FOREIGN KEY ("source_id") REFERENCES "sync_source"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sync_repository" ADD CONSTRAINT "sync_repository_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "sync_run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sync_error" ADD CONSTRAINT "sync_error_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "sync_run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema can't say; its drift check passes these by.

-- Trigrams for the text filter of repositories.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE INDEX "repository_text_trgm" ON "repository" USING gin ((name || ' ' || coalesce(description, '')) gin_trgm_ops);

-- Orders in which null comes last, whatever the direction of its neighbours.
CREATE INDEX "repository_pull_count" ON "repository" (coalesce(pull_count, -1), id);

CREATE INDEX "repository_star_count" ON "repository" (coalesce(star_count, -1), id);

CREATE INDEX "repository_tag_count" ON "repository" (tag_count, id);

CREATE INDEX "repository_stored_size" ON "repository" (stored_size, id);

CREATE INDEX "repository_name_id" ON "repository" (name, id);

CREATE INDEX "image_created_at" ON "image" (coalesce(created_at, '0001-01-01 00:00:00+00'::timestamptz), manifest_id);

CREATE INDEX "image_labels" ON "image" USING gin (labels jsonb_path_ops);

CREATE INDEX "manifest_annotations" ON "manifest" USING gin (annotations jsonb_path_ops);

-- Entries whose manifest may still come.
CREATE INDEX "index_entry_missing" ON "index_entry" (digest) WHERE child_id IS NULL;

-- A source has one unfinished run at most.
CREATE UNIQUE INDEX "sync_run_unfinished" ON "sync_run" (source_id) WHERE finished_at IS NULL;

-- A digest as people write it: 32 bytes are sha256, 64 are sha512. Null stays null without STRICT, which would keep
-- PostgreSQL from inlining it and make it 16 times slower.
CREATE FUNCTION "digest_text"(digest bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE octet_length(digest) WHEN 32 THEN 'sha256:' ELSE 'sha512:' END || encode(digest, 'hex');
