-- What an operator allows at a registry's hosts, beside what these announce; null leaves it to them.
ALTER TABLE "registry" ADD COLUMN "max_concurrency" INTEGER, ADD COLUMN "max_requests_per_second" INTEGER;
