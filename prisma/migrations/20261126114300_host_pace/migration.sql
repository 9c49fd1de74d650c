-- What all who send to a host of a registry share: shares of its concurrency, turns in flight, what is left of the limits
-- that it announced, pauses. docs/adr/0021-the-pace-of-a-host.md
CREATE TABLE "host_pace" (
    "registry_id" INTEGER NOT NULL,
    "origin" TEXT NOT NULL,
    "state" JSONB NOT NULL,
    "rate_limit" INTEGER,
    "rate_limit_remaining" INTEGER,
    "rate_limit_resets_at" TIMESTAMPTZ(3),
    "rate_limit_observed_at" TIMESTAMPTZ(3),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "fault_code" TEXT,
    "fault_message" TEXT,
    "paused_until" TIMESTAMPTZ(3),

    CONSTRAINT "host_pace_pkey" PRIMARY KEY ("registry_id","origin")
);

ALTER TABLE "host_pace" ADD CONSTRAINT "host_pace_registry_id_fkey" FOREIGN KEY ("registry_id") REFERENCES "registry"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Every change rewrites the state, so that room on the same page is worth having, and old versions are soon in the way.
ALTER TABLE "host_pace" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- The limits that a registry announced are there now.
ALTER TABLE "registry_health" DROP COLUMN "rate_limit", DROP COLUMN "rate_limit_remaining",
    DROP COLUMN "rate_limit_resets_at", DROP COLUMN "rate_limit_observed_at";
