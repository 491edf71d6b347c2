import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import type { Provided } from "./support/provided.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Suites that run inside workerd, with R2, KV, queues and Durable Objects as wrangler.toml binds them and PGlite behind the /sql endpoint. */
export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => {
      const { connectionString, endpointUrl } = inject<Provided>("provided");
      return {
        wrangler: { configPath: path("../../wrangler.toml") },
        miniflare: {
          bindings: {
            DATABASE_URL: connectionString,
            SQL_FETCH_ENDPOINT: endpointUrl,
            // Nothing listens there: indexing is the business of other suites.
            EMBED_ENDPOINT: "http://127.0.0.1:9",
            METRICS_TOKEN: "metrics-token-of-the-tests",
            SESSION_SECRET: "secret-of-the-sessions-of-the-tests",
            LOG_LEVEL: "silent",
          },
        },
      };
    }),
  ],
  test: {
    name: "workerd",
    include: [path("./**/*.test.ts")],
    globalSetup: [path("./support/global-setup.ts")],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
