// Recall of the turns that answer questions about long conversations, through the running system: each conversation is a tenant of its own, each of its
// sessions is streamed over the session API, every question is asked over POST /v1/search. No language model takes part.
//   node bench/locomo/main.ts PATH… [--format locomo|beam] [--database pglite|native] [--report FILE]
// PATH: LoCoMo as JSON, or the chats of BEAM, one a file. Evidence recall is counted by turn; a hit is an event, which is one turn.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { ApiClient } from "../../src/cli/api-client.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { startBenchStack } from "../end-to-end/bench-stack.ts";
import { percentile } from "../support/statistics.ts";
import { type Conversation, FORMATS, readConversations } from "./conversation-set.ts";
import { type Embed, OPPONENTS } from "./opponents.ts";
import { type Answered, recallOf } from "./recall.ts";
import { streamConversation, type Streamed, untilSearchable } from "./stream-conversation.ts";

/** What the union has to reach, aims at, and could be proud of: recall@10 of LoCoMo's categories 1 to 4. */
const BOUNDS = { target: 0.77, aim: 0.8, moon: 0.85 } as const;
/** LoCoMo's adversarial questions: nothing said supports them as they are asked. */
const ADVERSARIAL = "5";
/** Hits asked for: twenty turns are judged; a long turn has several chunks, each a hit. */
const HITS = { locomo: 20, beam: 60 } as const;
const EMBED_BATCH = 128;

const WAYS = [
  { name: "words alone (BM25)", body: { mode: "lexical" } },
  { name: "vectors alone", body: { mode: "vector" } },
  { name: "both, reciprocal ranks", body: { fusion: "rrf" } },
  { name: "**the union**", body: {} },
] as const;

interface Asked {
  readonly answered: readonly Answered[];
  readonly tookMs: readonly number[];
  readonly foreignCount: number;
  readonly hitCount: number;
  readonly turnCount: number;
}

interface Loaded {
  readonly conversation: Conversation;
  readonly api: ApiClient;
  readonly streamed: Streamed;
}

async function ask({ conversation, api, streamed }: Loaded, k: number, body: object): Promise<Asked> {
  const answered: Answered[] = [];
  const tookMs: number[] = [];
  let [foreignCount, hitCount, turnCount] = [0, 0, 0];
  for (const question of conversation.questions) {
    const startedMs = performance.now();
    const json = { query: question.text, k, tiers: ["event"], ...body };
    const reply = await api.json(searchReplySchema, { method: "POST", path: "/v1/search", json });
    tookMs.push(performance.now() - startedMs);
    if (reply.degraded.length > 0) throw new Error(`the search was degraded: ${reply.degraded.join()}`);
    const found = reply.hits.map((hit) => streamed.turnIds.get(hit.document_id));
    const turnIds = found.filter((id) => id !== undefined);
    foreignCount += found.length - turnIds.length;
    hitCount += found.length;
    turnCount += turnIds.length;
    answered.push({ question, turnIds: [...new Set(turnIds)] });
  }
  return { answered, tookMs, foreignCount, hitCount, turnCount };
}

async function askAll(loaded: readonly Loaded[], k: number, body: object): Promise<Asked> {
  const parts: Asked[] = [];
  for (const each of loaded) parts.push(await ask(each, k, body));
  const sum = (of: (part: Asked) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return {
    answered: parts.flatMap((part) => part.answered),
    tookMs: parts.flatMap((part) => part.tookMs),
    foreignCount: sum((part) => part.foreignCount),
    hitCount: sum((part) => part.hitCount),
    turnCount: sum((part) => part.turnCount),
  };
}

// Several opponents rank by the same texts: each is embedded once.
function embedderAt(endpoint: string): Embed {
  const known = new Map<string, readonly number[]>();
  return async (all) => {
    const texts = [...new Set(all)].filter((text) => !known.has(text));
    for (let start = 0; start < texts.length; start += EMBED_BATCH) {
      const batch = texts.slice(start, start + EMBED_BATCH);
      const response = await fetch(`${endpoint}/embed`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ inputs: batch, truncate: true }),
      });
      if (!response.ok) throw new Error(`the embedder answered ${response.status}`);
      const vectors = z.array(z.array(z.number())).parse(await response.json());
      batch.forEach((text, index) => known.set(text, vectors[index] ?? []));
    }
    return all.map((text) => known.get(text) ?? []);
  };
}

async function opponentsOf(conversations: readonly Conversation[], embed: Embed): Promise<[string, Answered[]][]> {
  const rows: [string, Answered[]][] = [];
  for (const opponent of OPPONENTS) {
    const answered: Answered[] = [];
    for (const conversation of conversations) {
      const ranked = await opponent.rank(conversation, embed);
      conversation.questions.forEach((question, index) => answered.push({ question, turnIds: ranked[index] ?? [] }));
    }
    rows.push([opponent.name, answered]);
  }
  return rows;
}

function tableOf(rows: readonly (readonly [string, readonly Answered[]])[]): string[] {
  const judged = rows[0]?.[1].filter(({ question }) => question.evidence.length > 0) ?? [];
  const present = [...new Set(judged.map(({ question }) => question.category))].sort();
  // What was never said stands apart, last.
  const categories = present.filter((category) => category !== ADVERSARIAL);
  const apart = present.filter((category) => category === ADVERSARIAL);
  const heads = ["ranking", "recall@5", "recall@10", "recall@20", "all@10"];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const all = [...heads, ...[...categories, ...apart].map((category) => `${category} @10`)];
  return [
    line(all),
    line(all.map(() => "---")),
    ...rows.map(([name, answered]) => {
      const of = (keep: (category: string) => boolean) =>
        recallOf(answered.filter(({ question }) => keep(question.category)));
      const total = of((category) => category !== ADVERSARIAL);
      const figures = [
        total.recall5,
        total.recall10,
        total.recall20,
        total.all10,
        ...[...categories, ...apart].map((category) => of((other) => other === category).recall10),
      ];
      return line([name, ...figures.map((figure) => figure.toFixed(3))]);
    }),
  ];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { format: { type: "string" }, database: { type: "string" }, report: { type: "string" } },
});
if (positionals.length === 0)
  throw new Error("usage: main.ts PATH… [--format locomo|beam] [--database pglite|native] [--report FILE]");
const format = z.enum(FORMATS).parse(values.format ?? "locomo");
const conversations = await readConversations(positionals, format);
const stack = await startBenchStack(values.database === "native" ? "native" : "pglite");
if (typeof stack === "string") throw new Error(stack);
try {
  const startedMs = performance.now();
  const loaded: Loaded[] = [];
  for (const conversation of conversations) {
    const key = await stack.keyOf(conversation.id.toLowerCase().replace(/[^a-z0-9-]/g, "-"));
    const streamed = await streamConversation(stack.url, key, conversation);
    loaded.push({ conversation, api: new ApiClient(stack.url, key), streamed });
    console.log(`${conversation.id}: ${conversation.turns.length} turns, ${JSON.stringify(streamed.statuses)}`);
  }
  for (const { api, streamed } of loaded) await untilSearchable(api, streamed.tokens);
  console.log(`streamed and searchable in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  const rows: [string, readonly Answered[]][] = await opponentsOf(conversations, embedderAt(stack.embedEndpoint));
  let union: Asked | undefined;
  for (const { name, body } of WAYS) {
    union = await askAll(loaded, HITS[format], body);
    rows.push([name, union.answered]);
    console.log(
      `${name}: p50 ${percentile(union.tookMs, 0.5).toFixed(0)} ms, p95 ${percentile(union.tookMs, 0.95).toFixed(0)} ms`,
    );
  }
  const { answered = [], foreignCount = 0, hitCount = 0, turnCount = 0 } = union ?? {};
  const total = recallOf(answered.filter(({ question }) => question.category !== ADVERSARIAL));
  const bounds = Object.entries(BOUNDS).map(
    ([name, bound]) => `${name} ${bound} ${total.recall10 >= bound ? "met" : "missed"}`,
  );
  const isJudged = format === "locomo";
  const lines = [
    ...tableOf(rows),
    `${total.questionCount} questions; turns per hit ${(turnCount / Math.max(1, hitCount)).toFixed(3)}; hits of other conversations ${foreignCount}`,
    ...(isJudged ? [`recall@10 ${total.recall10.toFixed(4)}: ${bounds.join(", ")}`] : []),
  ];
  console.log(lines.join("\n"));
  if (values.report !== undefined) await writeFile(values.report, `${lines.join("\n")}\n`);
  process.exitCode = foreignCount === 0 && (!isJudged || total.recall10 >= BOUNDS.target) ? 0 : 1;
} finally {
  await stack.stop();
}
