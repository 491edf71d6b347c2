// Accuracy of language detection on short text.
//   node bench/gate/language.ts PATH… [--with FOLDER]
// PATH: JSON of the SQuAD form in one language, named NAME.LANGUAGE.json (xquad.de.json). Of each paragraph four pieces of 20, 50, 100 and
// 300 characters are taken, each from the start of a word. FOLDER: where opponents are installed (npm install tinyld franc-min lande
// languagedetect eld), measured beside ours if given. Last, the gate's own rule: how many texts of a language that is let in are kept out,
// and how many of another are found.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { gatePolicySchema } from "../../src/lib/contract/gate-policy.ts";
import { judgeText } from "../../src/lib/gate/judge-text.ts";
import { loadLanguageDetector } from "../../src/lib/gate/language.ts";
import { type NamedDetector, opponents } from "./language-opponents.ts";

const LENGTHS = [20, 50, 100, 300];
const PIECES_PER_PARAGRAPH = 4;

const squadSchema = z.looseObject({
  data: z.array(z.looseObject({ paragraphs: z.array(z.looseObject({ context: z.string() })) })),
});

interface Sample {
  readonly language: string;
  readonly text: string;
}

function samplesOf(path: string, length: number): Sample[] {
  const language = basename(path, ".json").split(".").at(-1) ?? "";
  const { data } = squadSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  return data
    .flatMap((article) => article.paragraphs)
    .flatMap(({ context }) =>
      Array.from({ length: PIECES_PER_PARAGRAPH }, (_, piece) => {
        const start = piece === 0 ? 0 : context.indexOf(" ", (context.length * piece) / PIECES_PER_PARAGRAPH) + 1;
        return { language, text: context.slice(start, start + length) };
      }),
    )
    .filter(({ text }) => text.length === length);
}

const { values, positionals } = parseArgs({ options: { with: { type: "string" } }, allowPositionals: true });
if (positionals.length < 2) throw new Error("name the files of two languages at least");
const samples = LENGTHS.map((length) => ({ length, texts: positionals.flatMap((path) => samplesOf(path, length)) }));
const languages = [...new Set(samples.flatMap(({ texts }) => texts.map(({ language }) => language)))];
const detect = await loadLanguageDetector();
const ours: NamedDetector = {
  name: "ours (eld/extrasmall)",
  detect: (text) => Object.entries(detect(text).scores)[0]?.[0] ?? "",
};

console.log(
  `share of right languages, µs of CPU time per text; ${samples.map(({ length, texts }) => `${texts.length} of ${length}`).join(", ")}`,
);
for (const { name, detect: detectName } of [ours, ...(values.with === undefined ? [] : await opponents(values.with))]) {
  const cells = samples.map(({ texts }) => {
    for (const { text } of texts.slice(0, 200)) detectName(text);
    const before = process.cpuUsage();
    const right = texts.filter(({ text, language }) => detectName(text) === language).length;
    const { user, system } = process.cpuUsage(before);
    return `${((100 * right) / texts.length).toFixed(1).padStart(6)} % ${((user + system) / texts.length).toFixed(0).padStart(5)} µs`;
  });
  console.log(name.padEnd(24) + cells.join(""));
}

console.log("\nthe gate's rule: wrongly kept out, rightly kept out");
for (const { length, texts } of samples) {
  let wrongly = 0;
  let rightly = 0;
  for (const { text, language } of texts) {
    for (const letIn of languages) {
      const { verdict } = judgeText(text, "event", gatePolicySchema.parse({ languages: [letIn] }), detect);
      if (verdict !== "quarantined") continue;
      if (letIn === language) wrongly++;
      else rightly++;
    }
  }
  const foreign = texts.length * (languages.length - 1);
  console.log(
    `${String(length).padStart(4)} characters: ${((100 * wrongly) / texts.length).toFixed(2)} %, ${((100 * rightly) / foreign).toFixed(1)} %`,
  );
}
