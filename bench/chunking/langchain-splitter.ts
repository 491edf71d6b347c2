import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { err, ok, type Result } from "../../src/lib/base/result.ts";
import { HOME_FOLDER } from "../support/home-folder.ts";

const run = promisify(execFile);
const PACKAGES = ["@langchain/textsplitters@1.0.2", "@langchain/core@1.4.0"];
const INSTALL_TIMEOUT_MS = 5 * MINUTE_MS;
/** Of Chroma's RecursiveTokenChunker: paragraphs, lines, sentences, words, characters. */
const SEPARATORS = ["\n\n", "\n", ".", "?", "!", " ", ""];

export interface Splitter {
  splitText(text: string): Promise<string[]>;
}

const moduleSchema = z.looseObject({ RecursiveCharacterTextSplitter: z.custom<new (options: object) => Splitter>() });

/** LangChain's RecursiveCharacterTextSplitter with lengths in tokens; installed on first use into the bench's cache. */
export async function langchainSplitter(options: {
  readonly tokensMax: number;
  readonly count: (text: string) => number;
}): Promise<Result<Splitter, string>> {
  const folder = join(HOME_FOLDER, "langchain-splitter");
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    // Quick where they are installed already.
    const install = ["install", "--no-audit", "--no-fund", "--save-exact", ...PACKAGES];
    await run("npm", install, { cwd: folder, timeout: INSTALL_TIMEOUT_MS });
    const entry = createRequire(join(folder, "package.json")).resolve("@langchain/textsplitters");
    const { RecursiveCharacterTextSplitter } = moduleSchema.parse(await import(pathToFileURL(entry).href));
    return ok(
      new RecursiveCharacterTextSplitter({
        chunkSize: options.tokensMax,
        chunkOverlap: 0,
        lengthFunction: options.count,
        separators: SEPARATORS,
      }),
    );
  } catch (cause) {
    return err(`LangChain's splitter could not be installed: ${String(cause).slice(0, 200)}`);
  }
}
