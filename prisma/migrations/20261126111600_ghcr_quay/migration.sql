-- As with Docker Hub: what was at these addresses before there were kinds for it.
UPDATE "registry" SET "kind" = 'GHCR' WHERE "kind" = 'OCI' AND "url" ~ '^https://ghcr\.io(/|$)';
UPDATE "registry" SET "kind" = 'QUAY' WHERE "kind" = 'OCI' AND "url" ~ '^https://quay\.io(/|$)';
