# The engine, without flows: those of a project are mounted, its data is in a volume.
#
#   docker build -t sluice .
#   docker run --name sluice -p 127.0.0.1:8080:8080 --read-only --tmpfs /tmp --stop-timeout 45 \
#     --cap-drop ALL --security-opt no-new-privileges \
#     -v "$PWD:/project:ro" -v sluice-data:/data sluice
#   docker exec sluice node /opt/sluice/dist/main.js log
#
# The same for compose:
#
#   services:
#     sluice:
#       build: .
#       ports: ["127.0.0.1:8080:8080"]
#       read_only: true
#       tmpfs: [/tmp]
#       cap_drop: [ALL]
#       security_opt: [no-new-privileges:true]
#       stop_grace_period: 45s
#       volumes: [".:/project:ro", "sluice-data:/data"]
#   volumes: { sluice-data: {} }
#
# Secrets: the engine reads /project/.env by itself, where the user `node` (1000) may read it; or give variables with `-e NAME`.
# Not with --env-file: Docker keeps the quotes of NAME="value", and the environment wins over .env.
#
# SIGTERM ends it gracefully (runs may finish for as long as the setting shutdown.grace says, 30s; --stop-timeout is longer
# than that), SIGHUP makes it read flows again. Endpoints are closed unless a flow says `access: public`; serve other
# machines by TLS (setting tls), or behind what ends it.

FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node packaging/build.ts && npm pack --ignore-scripts --pack-destination /tmp
# Everything is bundled: the package needs no node_modules, and Node is the image's.
RUN mkdir /opt/sluice && tar -xzf /tmp/sluice-*.tgz -C /opt/sluice --strip-components=1
# Node keeps compiled code by user: the first start then takes half the time, though nothing can be written later.
RUN mkdir -p /opt/sluice/node_modules/.cache && chown node:node /opt/sluice/node_modules/.cache
USER node
RUN cd /opt/sluice/starter && node /opt/sluice/dist/main.js check

FROM node:26-slim
LABEL org.opencontainers.image.title="Sluice" \
      org.opencontainers.image.description="Integration flows in YAML, with credentials that no flow ever sees." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/sluice /opt/sluice
RUN mkdir /project /data && chown node:node /data
ENV NODE_ENV=production SLUICE_LISTEN=0.0.0.0:8080 SLUICE_DATA=/data
USER node
WORKDIR /project
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["node", "/opt/sluice/bin/health.js"]
ENTRYPOINT ["node", "--disable-sigusr1", "/opt/sluice/dist/main.js"]
CMD ["start"]
