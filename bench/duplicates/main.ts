// Near-duplicates on seeded edits with hard negatives.
//   node bench/duplicates/main.ts [PATH] [--documents N] [--seed N] [--show KIND]
// PATH is a folder of .txt and .json files or a .jsonl file with a `text` a line; without it the State of the Union addresses.
// Originals, edited copies and changed texts stand in one batch; a copy counts as found when it names its own original.
import { parseArgs } from "node:util";
import { type DuplicateInput, findDuplicatesInBatch } from "../../src/lib/duplicates/find-duplicates.ts";
import { sketchOf } from "../../src/lib/duplicates/sketch.ts";
import { printReport } from "../support/print-figures.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { OTHER_CONTENT } from "./other-content.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { SAME_CONTENT } from "./same-content.ts";
import { templatePair } from "./templates.ts";

const DOCUMENTS_DEFAULT = 1_500;
/** Texts made of templates for one text of the set: each with one other of the same template. */
const TEMPLATES_SHARE = 0.25;
/** Characters of a text below which an edit may leave nothing to recognise. */
const TEXT_LENGTH_MIN = 200;
const F1_TARGET = 0.95;
const SKETCH_TARGET_US_PER_KB = 150;
const COST_ROUNDS = 5;

interface Item {
  readonly text: string;
  /** Kind of edit or change; "original" for the texts themselves. */
  readonly kind: string;
  /** Position of the text it is a copy of; -1 where it is none. */
  readonly originalIndex: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { documents: { type: "string" }, seed: { type: "string" }, show: { type: "string" } },
});
const random = new SeededRandom(Number(values.seed ?? 1));
const texts = (await readBenchTexts(positionals[0], Number(values.documents ?? DOCUMENTS_DEFAULT)))
  .map(({ text }) => text)
  .filter((text) => text.length >= TEXT_LENGTH_MIN);

function itemsOf(originals: readonly string[]): Item[] {
  const items: Item[] = originals.map((text) => ({ text, kind: "original", originalIndex: -1 }));
  const edits = Object.entries(SAME_CONTENT);
  const changes = Object.entries(OTHER_CONTENT);
  for (const [index, text] of originals.entries()) {
    const [editName, edit] = edits[index % edits.length] ?? ["", (same: string) => same];
    items.push({ text: edit(text, random), kind: editName, originalIndex: index });
    const [changeName, change] = changes[index % changes.length] ?? ["", () => undefined];
    const changed = change(text, originals[(index + 7) % originals.length] ?? "", random);
    if (changed !== undefined && changed !== text) items.push({ text: changed, kind: changeName, originalIndex: -1 });
  }
  for (let count = Math.ceil(originals.length * TEMPLATES_SHARE); count > 0; count--) {
    const pair = templatePair(random);
    const [editName, edit] = random.pick(edits);
    items.push({ text: pair.text, kind: "template", originalIndex: -1 });
    items.push({ text: pair.other, kind: "template with other facts", originalIndex: -1 });
    items.push({ text: edit(pair.text, random), kind: `${editName} (template)`, originalIndex: items.length - 2 });
  }
  return items;
}

const items = itemsOf(texts);
const inputs: DuplicateInput[] = items.map(({ text }) => ({
  tenantId: "bench",
  userId: "",
  tier: "doc",
  speaker: "",
  occurredAtMs: null,
  text,
}));
const startedMs = performance.now();
const matches = findDuplicatesInBatch(inputs);
const tookMs = performance.now() - startedMs;
const originalOf = new Map(matches.map((match) => [match.index, match.originalIndex]));

const kinds = new Map<string, { total: number; wrong: number }>();
let found = 0;
let missed = 0;
let wronglyFound = 0;
for (const [index, item] of items.entries()) {
  const named = originalOf.get(index);
  const isRight = item.originalIndex === (named ?? -1);
  const kind = kinds.get(item.kind) ?? { total: 0, wrong: 0 };
  kinds.set(item.kind, { total: kind.total + 1, wrong: kind.wrong + (isRight ? 0 : 1) });
  if (item.originalIndex >= 0 && isRight) found++;
  if (item.originalIndex >= 0 && !isRight) missed++;
  if (named !== undefined && !isRight) wronglyFound++;
  if (!isRight && item.kind === values.show) {
    const original = items[named ?? item.originalIndex]?.text;
    console.log(
      `\n--- ${item.kind}, named ${named}\n${item.text.slice(0, 1500)}\n--- against\n${original?.slice(0, 1500)}`,
    );
  }
}
const precision = found / (found + wronglyFound);
const recall = found / (found + missed);

const sizeKb = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1024;
const costs = Array.from({ length: COST_ROUNDS }, () => {
  const roundMs = performance.now();
  for (const text of texts) sketchOf(text);
  return ((performance.now() - roundMs) * 1000) / sizeKb;
});

printReport({
  bench: "duplicates",
  figures: [
    {
      name: "F1",
      unit: "",
      ours: { name: "ours", samples: [(2 * precision * recall) / (precision + recall)] },
      target: F1_TARGET,
    },
    { name: "precision", unit: "", ours: { name: "ours", samples: [precision] } },
    { name: "recall", unit: "", ours: { name: "ours", samples: [recall] } },
    {
      name: "sketch",
      unit: "µs/KB",
      ours: { name: "ours", samples: costs },
      target: SKETCH_TARGET_US_PER_KB,
      isCost: true,
    },
  ],
  skipped: [],
  details: [
    `${items.length} inputs (${texts.length} originals, ${found + missed} copies), all found in ${Math.round(tookMs)} ms`,
    ...[...kinds].map(([kind, { total, wrong }]) => `${kind}: ${total - wrong} of ${total} right`),
  ],
});
