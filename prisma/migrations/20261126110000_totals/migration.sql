-- CreateTable
CREATE TABLE "repository_total" (
    "repository_id" INTEGER NOT NULL,
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "tags" INTEGER NOT NULL,
    "events" INTEGER NOT NULL,

    CONSTRAINT "repository_total_pkey" PRIMARY KEY ("repository_id","scope","key")
);

-- AddForeignKey
ALTER TABLE "repository_total" ADD CONSTRAINT "repository_total_repository_id_fkey" FOREIGN KEY ("repository_id") REFERENCES "repository"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What was counted without platforms is counted again with them.

DROP TABLE "held_platform";

DROP TABLE "held_blob";

DROP TABLE "held_total";

CREATE TABLE "held_blob" (
    "blob_id" INTEGER NOT NULL,
    "registry_id" INTEGER NOT NULL,
    "os" TEXT NOT NULL,
    "architecture" TEXT NOT NULL,

    CONSTRAINT "held_blob_pkey" PRIMARY KEY ("blob_id","registry_id","os","architecture")
);

CREATE TABLE "held_total" (
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "images" INTEGER NOT NULL,
    "layers" INTEGER NOT NULL,
    "nominal_size" DECIMAL(40,0) NOT NULL,
    "stored_size" DECIMAL(40,0) NOT NULL,

    CONSTRAINT "held_total_pkey" PRIMARY KEY ("scope","key")
);

INSERT INTO "held_blob" ("blob_id", "registry_id", "os", "architecture")
SELECT il."blob_id", h."registry_id", i."os", i."architecture"
FROM "held_image" h JOIN "image" i ON i."manifest_id" = h."image_id" JOIN "image_layer" il ON il."image_id" = h."image_id"
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

INSERT INTO "held_total" ("scope", "key", "images", "layers", "nominal_size", "stored_size")
WITH "blob" AS (
    SELECT s."scope", s."key", b."layer_id", b."digest", b."size"
    FROM "held_blob" h JOIN "layer_blob" b ON b."id" = h."blob_id"
    CROSS JOIN LATERAL (
        VALUES ('REGISTRY', h."registry_id"::text), ('CATALOG', ''), ('OS', h."os"), ('ARCHITECTURE', h."architecture"), ('MEDIA_TYPE', b."media_type")
    ) s ("scope", "key")
)
SELECT "scope", "key", sum("images"), sum("layers"), sum("nominal_size"), sum("stored_size")
FROM (
    SELECT 'REGISTRY' AS "scope", h."registry_id"::text AS "key", count(*) AS "images", 0 AS "layers", sum(i."size") AS "nominal_size", 0 AS "stored_size"
    FROM "held_image" h JOIN "image" i ON i."manifest_id" = h."image_id" GROUP BY 2
    UNION ALL
    SELECT s."scope", s."key", count(*), 0, sum(i."size"), 0
    FROM (SELECT "image_id" FROM "held_image" GROUP BY 1) h
    JOIN "image" i ON i."manifest_id" = h."image_id" JOIN "manifest" m ON m."id" = h."image_id"
    CROSS JOIN LATERAL (
        VALUES ('CATALOG', ''), ('OS', i."os"), ('ARCHITECTURE', i."architecture"), ('MEDIA_TYPE', m."media_type")
    ) s ("scope", "key") GROUP BY 1, 2
    UNION ALL
    SELECT "scope", "key", 0, count(*), 0, 0 FROM (SELECT "scope", "key", "layer_id" FROM "blob" GROUP BY 1, 2, 3) l GROUP BY 1, 2
    UNION ALL
    SELECT "scope", "key", 0, 0, 0, sum("size") FROM (SELECT "scope", "key", "digest", "size" FROM "blob" GROUP BY 1, 2, 3, 4) b GROUP BY 1, 2
) counted GROUP BY 1, 2;

INSERT INTO "repository_total" ("repository_id", "scope", "key", "tags", "events")
WITH RECURSIVE "named" AS (
    SELECT "repository_id", "manifest_id", sum("tags") AS "tags", sum("events") AS "events"
    FROM (
        SELECT "repository_id", "manifest_id", 1 AS "tags", 0 AS "events" FROM "tag"
        UNION ALL
        SELECT "repository_id", CASE "kind" WHEN 'DELETED' THEN "from_id" ELSE "to_id" END, 0, 1 FROM "tag_event"
    ) each WHERE "manifest_id" IS NOT NULL GROUP BY 1, 2
), "below" ("top", "id") AS (
    SELECT "manifest_id", "manifest_id" FROM "named"
    UNION
    SELECT "below"."top", x."child_id" FROM "below" JOIN "index_entry" x ON x."index_id" = "below"."id" WHERE x."child_id" IS NOT NULL
), "about" AS (
    SELECT "below"."top" AS "id", s."scope", s."key"
    FROM "below" JOIN "image" i ON i."manifest_id" = "below"."id"
    CROSS JOIN LATERAL (VALUES ('OS', i."os"), ('ARCHITECTURE', i."architecture")) s ("scope", "key") GROUP BY 1, 2, 3
    UNION ALL
    SELECT m."id", 'MEDIA_TYPE', m."media_type" FROM "manifest" m
)
SELECT "named"."repository_id", "about"."scope", "about"."key", sum("named"."tags"), sum("named"."events")
FROM "named" JOIN "about" ON "about"."id" = "named"."manifest_id" GROUP BY 1, 2, 3;
