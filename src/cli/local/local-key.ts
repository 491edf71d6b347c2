import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { stackFolders } from "../../stack/stack-config.ts";
import { HOME_FOLDER } from "../home-folder.ts";

const localKeySchema = z.strictObject({ url: z.string(), key: z.string() });
/** The development key of a running stack and where it works. */
export type LocalKey = z.infer<typeof localKeySchema>;

const FILE = join(stackFolders(HOME_FOLDER).data, "local-key.json");
const OWNER_ONLY = 0o600;

/** Keeps the key of the running stack for the other commands of this user, until the stack ends. It is valid for a day at most. */
export async function rememberLocalKey(key: LocalKey): Promise<void> {
  await writeFile(FILE, JSON.stringify(key), { mode: OWNER_ONLY });
  await chmod(FILE, OWNER_ONLY);
}

export async function forgetLocalKey(): Promise<void> {
  await rm(FILE, { force: true });
}

export async function readLocalKey(): Promise<LocalKey | undefined> {
  try {
    return localKeySchema.parse(JSON.parse(await readFile(FILE, "utf8")));
  } catch {
    return undefined;
  }
}
