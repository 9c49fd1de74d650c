-- What is remembered of one runtime is bounded; the index for all of them together has it within.
CREATE INDEX "container_removed_of_runtime" ON "container" ("runtime_id", "removed_at") WHERE "removed_at" IS NOT NULL;
