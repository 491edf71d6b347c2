import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { loadTokenCounter } from "../../lib/model/load-token-counter.ts";
import type { TokenCounter } from "../../lib/model/token-counter.ts";
import { stackFolders } from "../../stack/stack-config.ts";
import { CommandError } from "../command-error.ts";
import { HOME_FOLDER } from "../home-folder.ts";
import { PROJECT_FOLDER } from "../project-folder.ts";

const MODEL_NAME = "all-MiniLM-L6-v2";
const lengthSchema = z.looseObject({ max_seq_length: z.int().min(16) });

/** The default model's own tokenizer, and how many tokens it takes at once. */
export interface LocalTokenizer {
  readonly counter: TokenCounter;
  readonly maxInputTokens: number;
}

/** Reads the tokenizer of the local weights; fetches them (once, 90 MB) where they are missing. */
export async function openLocalTokenizer(log: (line: string) => void): Promise<LocalTokenizer> {
  const folder = join(stackFolders(HOME_FOLDER).models, MODEL_NAME);
  const file = join(folder, "tokenizer.json");
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) await provision(folder, log);
  const counter = loadTokenCounter(await readFile(file));
  if (!counter.ok) throw new CommandError(`the tokenizer cannot be read (${counter.error.code}): ${file}`);
  const length = lengthSchema.parse(JSON.parse(await readFile(join(folder, "sentence_bert_config.json"), "utf8")));
  return { counter: counter.value, maxInputTokens: length.max_seq_length };
}

async function provision(folder: string, log: (line: string) => void): Promise<void> {
  log("fetching the embedding model's files, once");
  const embedder = join(PROJECT_FOLDER, "gpu-embedder");
  const child = spawn(process.execPath, [join(embedder, "src/model/provision-main.ts"), folder], {
    cwd: embedder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new CommandError("the model's files could not be fetched: see above");
}
