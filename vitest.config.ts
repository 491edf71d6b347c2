import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

const isCi = process.env["CI"] === "true";

/** Suites by what is real in them; `test/workerd` has its own configuration since it runs inside workerd. */
export default defineConfig({
  test: {
    allowOnly: !isCi,
    projects: [
      {
        test: {
          name: "isolation",
          include: ["test/isolation/**/*.test.ts"],
          pool: "forks",
          maxWorkers: 2,
          // 17,000 probes a test; an erasure whose statements lost their conditions counts for seconds.
          testTimeout: 1_500_000,
          hookTimeout: 180_000,
        },
      },
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], pool: "threads", testTimeout: 60_000 } },
      {
        test: {
          name: "db",
          include: ["test/db/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "flow",
          include: ["test/flow/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: "dashboard",
          include: ["test/dashboard/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: "observability",
          include: ["test/observability/**/*.test.ts"],
          pool: "forks",
          testTimeout: 120_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: "chaos",
          include: ["test/chaos/**/*.test.ts"],
          pool: "forks",
          testTimeout: 120_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          name: "bridge",
          include: ["test/bridge/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      ...(existsSync(new URL("./test/workerd/vitest.config.ts", import.meta.url))
        ? ["./test/workerd/vitest.config.ts"]
        : []),
    ],
  },
});
