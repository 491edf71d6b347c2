/**
 * The model alone on one provider, no server: tokens a second of bare sessions for each budget of a batch and each number of sessions, on short,
 * mixed and long texts. What `PROVIDER_TUNING` is chosen from.
 *
 * `node bench/device-sweep.ts FILES_OR_FOLDERS… [--provider cuda] [--precision fp16] [--batch-tokens 4096,16384,65536] [--sessions 1,2]
 * [--multiple 8] [--sets short,mixed,long] [--tokens 2000000] [--rounds 3]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { median } from "../../bench/support/statistics.ts";
import { startBareSession } from "../src/engine/bare-session.ts";
import { PROVIDER_TUNING } from "../src/engine/provider.ts";
import { PRECISIONS } from "../src/graph/graph-context.ts";
import { bareSeconds, batchesOf, tokenLists } from "./support/bare-batches.ts";
import { benchModel } from "./support/bench-model.ts";
import { count, counts } from "./support/count-options.ts";
import { deviceState } from "./support/device-state.ts";
import { describeMachine } from "./support/machine.ts";
import { readTexts } from "./support/text-files.ts";
import { cutTextSet, SET_NAMES } from "./support/text-sets.ts";

/** Texts of one batch: so many that the budget in tokens is what ends it. */
const BATCH_TEXTS_MAX = 65_536;

const text = { type: "string" } as const;
const { positionals: paths, values } = parseArgs({
  allowPositionals: true,
  options: {
    provider: text,
    precision: text,
    "batch-tokens": text,
    sessions: text,
    multiple: text,
    sets: text,
    tokens: text,
    rounds: text,
  },
});
if (paths.length === 0) throw new Error("usage: node bench/device-sweep.ts FILES_OR_FOLDERS…");
const options = z
  .object({
    provider: z.enum(["cpu", "cuda"]).default("cuda"),
    precision: z.enum(PRECISIONS).optional(),
    "batch-tokens": counts("4096,8192,16384,32768,65536,131072"),
    sessions: counts("1,2"),
    sets: z
      .string()
      .default(SET_NAMES.join(","))
      .transform((list) => list.split(","))
      .pipe(z.array(z.enum(SET_NAMES))),
    multiple: z.coerce.number().int().min(1).optional(),
    tokens: count(2_000_000),
    rounds: count(3),
  })
  .parse(values);

const { provider } = options;
const tuning = PROVIDER_TUNING[provider];
const sequenceMultiple = options.multiple ?? tuning.sequenceMultiple;
const model = await benchModel(options.precision ?? tuning.precision);
const folder = mkdtempSync(join(tmpdir(), "embedder-sweep-"));
console.log(`${describeMachine(process.env)}; ${provider}, ${model.precision}`);
const startMs = performance.now();
const all = await Promise.all(
  Array.from({ length: Math.max(...options.sessions) }, () => startBareSession(model, { provider })),
);
console.log(`sessions started in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
const source = readTexts(paths);
for (const name of options.sets) {
  const set = await cutTextSet(name, source, { tokenizer: model.tokenizer, tokensMin: options.tokens, folder });
  const tokenizeStartMs = performance.now();
  const lists = await tokenLists(set.texts, model.tokenizer);
  const tokenizeSeconds = (performance.now() - tokenizeStartMs) / 1000;
  console.log(`${name}: tokenizing alone, one thread ${Math.round(set.tokenCount / tokenizeSeconds)} tokens/s`);
  for (const batchTokensMax of options["batch-tokens"]) {
    const batches = batchesOf(lists, { batchTokensMax, batchTextsMax: BATCH_TEXTS_MAX, sequenceMultiple });
    for (const sessionCount of options.sessions) {
      const sessions = all.slice(0, sessionCount);
      await bareSeconds(sessions, batches, sequenceMultiple);
      const rates: number[] = [];
      for (let round = 0; round < options.rounds; round += 1)
        rates.push(set.tokenCount / (await bareSeconds(sessions, batches, sequenceMultiple)));
      const range = `${Math.round(Math.min(...rates))}–${Math.round(Math.max(...rates))}`;
      const memory = (await deviceState())?.memoryMib;
      const device = memory === undefined ? "" : `; ${memory} MiB of the device`;
      console.log(
        `${name}: ${batchTokensMax} tokens a batch, ${sessionCount} sessions: ${Math.round(median(rates))} tokens/s (${range})${device}`,
      );
    }
  }
}
await Promise.all(all.map((session) => session.close()));
rmSync(folder, { recursive: true, force: true });
