import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Stack, startStack } from "../../stack/start-stack.ts";
import { stackFolders } from "../../stack/stack-config.ts";
import { HOME_FOLDER } from "../home-folder.ts";
import { readMigrationFiles } from "../schema/migration-files.ts";
import { PROJECT_FOLDER } from "../project-folder.ts";

const stateSchema = z.object({ pid: z.int(), url: z.string() });

/** Starts the local stack with what the environment says. The Worker's log goes to a file. */
export async function startLocalStack(options: {
  readonly port: number;
  readonly log: (line: string) => void;
}): Promise<Stack> {
  await mkdir(HOME_FOLDER, { recursive: true });
  const workerLogFile = join(HOME_FOLDER, "worker.log");
  return startStack({
    projectFolder: PROJECT_FOLDER,
    folders: stackFolders(HOME_FOLDER),
    host: process.env["LISTEN_HOST"],
    port: options.port,
    databaseUrl: process.env["DATABASE_URL"],
    appDatabaseUrl: process.env["APP_DATABASE_URL"],
    embedEndpoint: process.env["EMBED_ENDPOINT"],
    embedToken: process.env["EMBED_TOKEN"],
    // Left out where it is empty, as a compose file hands it over.
    metricsToken: process.env["METRICS_TOKEN"] || undefined,
    piiKeys: process.env["PII_KEYS"],
    migrationFiles: await readMigrationFiles(join(PROJECT_FOLDER, "migrations")),
    log: options.log,
    workerLog: (line) => void appendFile(workerLogFile, `${line}\n`),
  });
}

/** The stack of another process on the same data folder, if one runs. */
export async function findRunningStack(): Promise<{ readonly pid: number; readonly url: string } | undefined> {
  try {
    const file = join(stackFolders(HOME_FOLDER).data, "stack.json");
    const state = stateSchema.parse(JSON.parse(await readFile(file, "utf8")));
    process.kill(state.pid, 0);
    return state;
  } catch {
    return undefined;
  }
}
