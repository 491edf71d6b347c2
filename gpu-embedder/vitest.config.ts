import { defineConfig } from "vitest/config";

/** The first test that needs weights may have to fetch them: 84 MB. */
const PROVISION_TIMEOUT_MS = 300_000;

export default defineConfig({
  test: { include: ["test/**/*.test.ts"], testTimeout: 30_000, hookTimeout: PROVISION_TIMEOUT_MS, maxWorkers: 2 },
});
