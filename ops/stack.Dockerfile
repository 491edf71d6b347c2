# The Worker in workerd with its local endpoint for Postgres, as `make up` runs it: for trying the containers, not for production.
FROM node:24.21.0-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY wrangler.toml tsconfig.json tsconfig.worker.json ./
COPY migrations migrations
COPY src src
ENV JEEVES_HOME=/data LISTEN_HOST=0.0.0.0 PORT=8787 HOME=/tmp
RUN install -d -o 65532 -g 65532 /data .wrangler
USER 65532:65532
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s --retries=3 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/cli/main.ts"]
CMD ["up"]
