-- AlterTable
ALTER TABLE "image" ADD COLUMN     "made_from" BYTEA,
ADD COLUMN     "container_count" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "runtime" (
    "id" SERIAL NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "endpoint" TEXT,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "managed_by" TEXT NOT NULL,
    "version" TEXT,
    "os" TEXT,
    "architecture" TEXT,
    "pictured_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "runtime_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "runtime_health" (
    "runtime_id" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "checked_at" TIMESTAMPTZ(3),
    "message" TEXT,
    "consecutive_failures" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "runtime_health_pkey" PRIMARY KEY ("runtime_id")
);

-- CreateTable
CREATE TABLE "container" (
    "id" SERIAL NOT NULL,
    "runtime_id" INTEGER NOT NULL,
    "container_id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "image_reference" TEXT NOT NULL,
    "host" TEXT COLLATE "C",
    "repository" TEXT COLLATE "C",
    "tag" TEXT COLLATE "C",
    "image_digests" BYTEA[],
    "image_vias" TEXT[],
    "image_platform" JSONB,
    "image_id" INTEGER,
    "image_via" TEXT,
    "state" TEXT COLLATE "C" NOT NULL,
    "status" TEXT,
    "exit_code" INTEGER,
    "created_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "command" TEXT[],
    "ports" JSONB NOT NULL DEFAULT '[]',
    "mounts" JSONB NOT NULL DEFAULT '[]',
    "labels" JSONB NOT NULL DEFAULT '{}',
    "workload_kind" TEXT,
    "workload_name" TEXT,
    "workload_namespace" TEXT,
    "role" TEXT,
    "node" TEXT,
    "restart_count" INTEGER,
    "is_outdated" BOOLEAN,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "container_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "container_event" (
    "id" BIGSERIAL NOT NULL,
    "container_id" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "state" TEXT NOT NULL,
    "previous_state" TEXT,

    CONSTRAINT "container_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "container_commit" (
    "container_id" INTEGER NOT NULL,
    "image_digest" BYTEA NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "container_commit_pkey" PRIMARY KEY ("container_id","image_digest")
);

-- CreateTable
CREATE TABLE "local_image" (
    "runtime_id" INTEGER NOT NULL,
    "image_id" INTEGER NOT NULL,

    CONSTRAINT "local_image_pkey" PRIMARY KEY ("runtime_id","image_id")
);

-- CreateTable
CREATE TABLE "image_deletion" (
    "image_id" INTEGER NOT NULL,
    "begun_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "image_deletion_pkey" PRIMARY KEY ("image_id")
);

-- CreateIndex
CREATE INDEX "image_container_count_manifest_id_idx" ON "image"("container_count", "manifest_id");

-- CreateIndex
CREATE UNIQUE INDEX "runtime_name_key" ON "runtime"("name");

-- CreateIndex
CREATE INDEX "container_name_id_idx" ON "container"("name", "id");

-- CreateIndex
CREATE INDEX "container_image_id_idx" ON "container"("image_id");

-- CreateIndex
CREATE INDEX "container_container_id_idx" ON "container"("container_id");

-- CreateIndex
CREATE UNIQUE INDEX "container_runtime_id_container_id_key" ON "container"("runtime_id", "container_id");

-- CreateIndex
CREATE INDEX "container_event_container_id_id_idx" ON "container_event"("container_id", "id");

-- CreateIndex
CREATE INDEX "container_event_at_idx" ON "container_event"("at");

-- CreateIndex
CREATE INDEX "container_commit_image_digest_idx" ON "container_commit"("image_digest");

-- CreateIndex
CREATE INDEX "local_image_image_id_idx" ON "local_image"("image_id");

-- AddForeignKey
ALTER TABLE "runtime_health" ADD CONSTRAINT "runtime_health_runtime_id_fkey" FOREIGN KEY ("runtime_id") REFERENCES "runtime"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "container" ADD CONSTRAINT "container_runtime_id_fkey" FOREIGN KEY ("runtime_id") REFERENCES "runtime"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "container" ADD CONSTRAINT "container_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "image"("manifest_id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "container_event" ADD CONSTRAINT "container_event_container_id_fkey" FOREIGN KEY ("container_id") REFERENCES "container"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "container_commit" ADD CONSTRAINT "container_commit_container_id_fkey" FOREIGN KEY ("container_id") REFERENCES "container"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "local_image" ADD CONSTRAINT "local_image_runtime_id_fkey" FOREIGN KEY ("runtime_id") REFERENCES "runtime"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "local_image" ADD CONSTRAINT "local_image_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "image"("manifest_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema can't say; its drift check passes these by.

-- Lists of what is there now pass by what was removed, however much of it is remembered.
CREATE INDEX "container_live_name" ON "container" ("name", "id") WHERE "removed_at" IS NULL;
CREATE INDEX "container_live_created_at" ON "container" (coalesce("created_at", '0001-01-01 00:00:00+00'::timestamptz), "id")
  WHERE "removed_at" IS NULL;
CREATE INDEX "container_live_state" ON "container" ("state", "id") WHERE "removed_at" IS NULL;
CREATE INDEX "container_live_runtime" ON "container" ("runtime_id", "name", "id") WHERE "removed_at" IS NULL;
CREATE INDEX "container_live_image" ON "container" ("image_id", "name", "id") WHERE "removed_at" IS NULL;
CREATE INDEX "container_live_repository" ON "container" ("repository", "host", "name", "id") WHERE "removed_at" IS NULL;
CREATE INDEX "container_outdated" ON "container" ("id") WHERE "is_outdated" AND "removed_at" IS NULL;
CREATE INDEX "container_unknown" ON "container" ("id") WHERE "image_id" IS NULL AND "removed_at" IS NULL;
CREATE INDEX "container_removed" ON "container" ("removed_at") WHERE "removed_at" IS NOT NULL;
CREATE INDEX "container_labels" ON "container" USING gin ("labels" jsonb_path_ops);
CREATE INDEX "image_made_from" ON "image" ("made_from") WHERE "made_from" IS NOT NULL;
CREATE INDEX "image_in_use" ON "image" ("manifest_id") WHERE "container_count" > 0;

-- Events of containers get their ids in the order of their commits, as those of tags do.
CREATE FUNCTION "order_container_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7869005, 0);
  RETURN NULL;
END
$$;

CREATE TRIGGER "container_event_order" BEFORE INSERT ON "container_event"
  FOR EACH STATEMENT EXECUTE FUNCTION "order_container_events"();

CREATE FUNCTION "tell_container_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('stowage_container_event', max(id)::text) FROM written HAVING count(*) > 0;
  RETURN NULL;
END
$$;

CREATE TRIGGER "container_event_tell" AFTER INSERT ON "container_event"
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION "tell_container_events"();

-- Keeps image.container_count. Whoever writes containers holds the lock above, so that these never wait in a circle.
CREATE FUNCTION "count_containers"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changes jsonb;
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT jsonb_object_agg(image_id, change) INTO changes FROM (
      SELECT image_id, count(*) AS change FROM after WHERE image_id IS NOT NULL AND removed_at IS NULL GROUP BY image_id
    ) counted;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT jsonb_object_agg(image_id, change) INTO changes FROM (
      SELECT image_id, -count(*) AS change FROM before WHERE image_id IS NOT NULL AND removed_at IS NULL GROUP BY image_id
    ) counted;
  ELSE
    SELECT jsonb_object_agg(image_id, change) INTO changes FROM (
      SELECT image_id, sum(change) AS change FROM (
        SELECT image_id, 1 AS change FROM after WHERE image_id IS NOT NULL AND removed_at IS NULL
        UNION ALL
        SELECT image_id, -1 FROM before WHERE image_id IS NOT NULL AND removed_at IS NULL
      ) each GROUP BY image_id HAVING sum(change) <> 0
    ) counted;
  END IF;
  IF changes IS NOT NULL THEN
    UPDATE image i SET container_count = i.container_count + c.value::int
    FROM jsonb_each_text(changes) c WHERE i.manifest_id = c.key::int;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER "container_count_insert" AFTER INSERT ON "container"
  REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION "count_containers"();
CREATE TRIGGER "container_count_update" AFTER UPDATE ON "container"
  REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION "count_containers"();
CREATE TRIGGER "container_count_delete" AFTER DELETE ON "container"
  REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION "count_containers"();
