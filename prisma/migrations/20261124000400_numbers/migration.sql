-- AlterTable
ALTER TABLE "repository" ADD COLUMN "image_count" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "layer_count" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "event_count" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "nominal_size" BIGINT NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "held_image" (
    "image_id" INTEGER NOT NULL,
    "registry_id" INTEGER NOT NULL,

    CONSTRAINT "held_image_pkey" PRIMARY KEY ("image_id","registry_id")
);

-- CreateTable
CREATE TABLE "held_blob" (
    "blob_id" INTEGER NOT NULL,
    "registry_id" INTEGER NOT NULL,

    CONSTRAINT "held_blob_pkey" PRIMARY KEY ("blob_id","registry_id")
);

-- CreateTable
CREATE TABLE "held_total" (
    "registry_id" INTEGER NOT NULL,
    "images" INTEGER NOT NULL,
    "layers" INTEGER NOT NULL,
    "nominal_size" DECIMAL(40,0) NOT NULL,
    "stored_size" DECIMAL(40,0) NOT NULL,

    CONSTRAINT "held_total_pkey" PRIMARY KEY ("registry_id")
);

-- CreateTable
CREATE TABLE "held_platform" (
    "os" TEXT NOT NULL,
    "architecture" TEXT NOT NULL,
    "media_type" TEXT NOT NULL,
    "images" INTEGER NOT NULL,

    CONSTRAINT "held_platform_pkey" PRIMARY KEY ("os","architecture","media_type")
);

-- What was synced before this migration is counted here; from now on the writer keeps it.

UPDATE "repository" r SET
    "event_count" = (SELECT count(*) FROM "tag_event" e WHERE e."repository_id" = r."id"),
    "image_count" = held."images",
    "nominal_size" = held."nominal_size",
    "layer_count" = held."layers"
FROM (
    SELECT p."id", coalesce(i."images", 0) AS "images", coalesce(i."nominal_size", 0) AS "nominal_size", coalesce(l."layers", 0) AS "layers"
    FROM "repository" p
    LEFT JOIN (
        SELECT rm."repository_id", count(*) AS "images", least(sum(i."size"), 9007199254740991) AS "nominal_size"
        FROM "repository_manifest" rm JOIN "image" i ON i."manifest_id" = rm."manifest_id"
        WHERE rm."gone_at" IS NULL GROUP BY 1
    ) i ON i."repository_id" = p."id"
    LEFT JOIN (
        SELECT rm."repository_id", count(DISTINCT il."layer_id") AS "layers"
        FROM "repository_manifest" rm JOIN "image_layer" il ON il."image_id" = rm."manifest_id"
        WHERE rm."gone_at" IS NULL GROUP BY 1
    ) l ON l."repository_id" = p."id"
) held WHERE held."id" = r."id";

INSERT INTO "held_image" ("image_id", "registry_id")
SELECT DISTINCT i."manifest_id", r."registry_id"
FROM "repository_manifest" rm JOIN "repository" r ON r."id" = rm."repository_id" JOIN "image" i ON i."manifest_id" = rm."manifest_id"
WHERE rm."gone_at" IS NULL ORDER BY 1, 2;

INSERT INTO "held_blob" ("blob_id", "registry_id")
SELECT DISTINCT il."blob_id", h."registry_id"
FROM "held_image" h JOIN "image_layer" il ON il."image_id" = h."image_id" ORDER BY 1, 2;

INSERT INTO "held_total" ("registry_id", "images", "layers", "nominal_size", "stored_size")
SELECT "registry_id", sum("images"), sum("layers"), sum("nominal_size"), sum("stored_size")
FROM (
    SELECT h."registry_id", count(*) AS "images", 0 AS "layers", sum(i."size") AS "nominal_size", 0 AS "stored_size"
    FROM (SELECT "image_id", "registry_id" FROM "held_image" UNION SELECT "image_id", 0 FROM "held_image") h
    JOIN "image" i ON i."manifest_id" = h."image_id" GROUP BY 1
    UNION ALL
    SELECT h."registry_id", 0, count(DISTINCT b."layer_id"), 0, 0
    FROM (SELECT "blob_id", "registry_id" FROM "held_blob" UNION SELECT "blob_id", 0 FROM "held_blob") h
    JOIN "layer_blob" b ON b."id" = h."blob_id" GROUP BY 1
    UNION ALL
    SELECT b."registry_id", 0, 0, 0, sum(b."size")
    FROM (
        SELECT DISTINCT h."registry_id", b."digest", b."size"
        FROM (SELECT "blob_id", "registry_id" FROM "held_blob" UNION SELECT "blob_id", 0 FROM "held_blob") h
        JOIN "layer_blob" b ON b."id" = h."blob_id"
    ) b GROUP BY 1
) counted GROUP BY 1;

INSERT INTO "held_platform" ("os", "architecture", "media_type", "images")
SELECT i."os", i."architecture", m."media_type", count(*)
FROM "image" i JOIN "manifest" m ON m."id" = i."manifest_id"
WHERE i."manifest_id" IN (SELECT "image_id" FROM "held_image") GROUP BY 1, 2, 3;

-- CreateIndex
CREATE INDEX "repository_image_count_id_idx" ON "repository"("image_count", "id");

-- CreateIndex
CREATE INDEX "repository_layer_count_id_idx" ON "repository"("layer_count", "id");

-- CreateIndex
CREATE INDEX "repository_event_count_id_idx" ON "repository"("event_count", "id");
