-- Docker Hub was spoken to as any other registry before there was a kind for it. One at another address is a mirror,
-- which has no Hub API.
UPDATE "registry" SET "kind" = 'DOCKER_HUB'
WHERE "kind" = 'OCI' AND "host" = 'docker.io' AND "url" ~ '^https://registry-1\.docker\.io(/|$)';
