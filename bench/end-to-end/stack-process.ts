/**
 * The whole local stack in a process of its own, so that its processor time and memory are not the bench's. Arguments: the
 * database, as `DATABASE_URL`, the folder where it stores everything but the weights, and further variables of the Worker as JSON.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ensureActiveModel } from "../../src/cli/local/ensure-active-model.ts";
import { readMigrationFiles } from "../../src/cli/schema/migration-files.ts";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { stackFolders } from "../../src/stack/stack-config.ts";
import { startStack } from "../../src/stack/start-stack.ts";
import { HOME_FOLDER } from "../support/home-folder.ts";
import { createBenchKey } from "../support/store.ts";
import { askSchema, type Answer, type Ask } from "./stack-messages.ts";

const chunkRowSchema = z.object({ text: z.string() });

const tell = (answer: Answer): void => void process.send?.(answer);

const [databaseUrl, folder, variablesJson] = z.tuple([z.string(), z.string(), z.string()]).parse(process.argv.slice(2));
const variables = z.record(z.string(), z.string()).parse(JSON.parse(variablesJson));

try {
  const stack = await startStack({
    projectFolder: PROJECT_FOLDER,
    folders: { ...stackFolders(folder), models: stackFolders(HOME_FOLDER).models },
    port: 0,
    databaseUrl,
    embedEndpoint: undefined,
    variables,
    migrationFiles: await readMigrationFiles(join(PROJECT_FOLDER, "migrations")),
    log: () => undefined,
    workerLog: () => undefined,
  });
  await ensureActiveModel(stack.url, await createBenchKey(stack.ownerSql, "bench-warm-up"));
  const end = async (): Promise<void> => {
    await stack.stop();
    process.exit(0);
  };
  process.once("disconnect", () => void end());
  process.on("message", (message) => {
    const ask = askSchema.parse(message);
    if (ask.ask === "stop") void end();
    else answer(ask).then(tell, (cause: unknown) => tell({ answer: "failed", reason: String(cause) }));
  });
  tell({ answer: "ready", url: stack.url, embedEndpoint: stack.embedEndpoint });

  async function answer(ask: Exclude<Ask, { ask: "stop" }>): Promise<Answer> {
    if (ask.ask === "key") return { answer: "key", key: await createBenchKey(stack.ownerSql, ask.tenantId) };
    const rows = await stack.ownerSql.query(
      { text: "select text from doc_embeddings where tenant_id = $1", params: [ask.tenantId] },
      { timeoutMs: 60_000 },
    );
    if (!rows.ok) throw new Error(rows.error.code);
    const texts = rows.value.map((row) => chunkRowSchema.parse(row).text);
    await writeFile(ask.file, texts.map((text) => `${JSON.stringify(text)}\n`).join(""));
    return { answer: "chunks", chunkCount: texts.length };
  }
} catch (cause) {
  tell({ answer: "failed", reason: cause instanceof Error ? cause.message : String(cause) });
  process.exitCode = 1;
  process.disconnect();
}
