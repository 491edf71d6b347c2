/**
 * Live conversations through the running stack, open loop: every event has its time before the first is sent, and latencies count from it.
 * `node bench/sessions/main.ts [--database pglite|native|postgresql://…] [--seconds N] [--crowd-seconds N] [--texts PATH] [--report FILE]`
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { finishBench } from "../support/bench-arguments.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { watchMemory } from "../support/resident-memory.ts";
import type { Figure } from "../support/figure.ts";
import { median, percentile } from "../support/statistics.ts";
import { startBenchStack, type BenchStack } from "../end-to-end/bench-stack.ts";
import { cpuSecondsBetween, cpuSecondsByPart, pidsByPart, STACK_PARTS } from "../end-to-end/part-usage.ts";
import { openTalk, type AckedEvent } from "./live-talk.ts";
import { recountSession } from "./recount.ts";
import { sampleSearchable } from "./sample-searchable.ts";
import { sentencesOf } from "./sentences.ts";

/** Users talk in turns spread over their period: nobody's messages come all at the same moment. */
const START_AFTER_MS = 1_000;
const SAMPLE_EVERY_MS = 1_000;
const MEMORY_EVERY_MS = 250;
/** A bench, not an attack. */
const SECONDS_MAX = 3_600;
const RECOUNTED_AT_ONCE = 8;

interface Scenario {
  readonly name: string;
  readonly tenantId: string;
  readonly users: number;
  readonly perSecond: number;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    database: { type: "string", default: "pglite" },
    seconds: { type: "string", default: "300" },
    "crowd-seconds": { type: "string", default: "60" },
    texts: { type: "string" },
    report: { type: "string" },
  },
});
const secondsOf = (text: string): number => Math.min(SECONDS_MAX, Math.max(0, Number(text) || 0));
const scenarios: readonly Scenario[] = [
  { name: "3 users, 5/s each", tenantId: "three", users: 3, perSecond: 5, seconds: secondsOf(values.seconds) },
  {
    name: "100 users, 1/s each",
    tenantId: "crowd",
    users: 100,
    perSecond: 1,
    seconds: secondsOf(values["crowd-seconds"]),
  },
].filter(({ seconds }) => seconds > 0);
const sentences = sentencesOf(await readBenchTexts(values.texts, 1_000));

const stack = await startBenchStack(values.database);
if (typeof stack === "string") throw new Error(stack);
const figures: Figure[] = [];
const details: string[] = [];
try {
  for (const scenario of scenarios) await measure(stack, scenario);
  finishBench({ bench: "sessions", figures, skipped: [], details }, { reportFile: values.report });
} finally {
  await stack.stop();
}

async function measure(target: BenchStack, scenario: Scenario): Promise<void> {
  const { name, users, perSecond, seconds } = scenario;
  const api = { url: target.url, key: await target.keyOf(scenario.tenantId) };
  const eventCount = Math.round(perSecond * seconds);
  const people = Array.from({ length: users }, (_, user) => ({ userId: `user-${user}`, sessionId: `talk-${user}` }));
  const talks: { who: (typeof people)[number]; talk: Awaited<ReturnType<typeof openTalk>> }[] = [];
  for (const who of people) talks.push({ who, talk: await openTalk(api, who) });
  const memory = watchMemory(pidsByPart(target.pids), MEMORY_EVERY_MS);
  const cpuBefore = cpuSecondsByPart(target.pids);
  const acked: AckedEvent[] = [];
  let isOver = false;
  const startAtMs = performance.now() + START_AFTER_MS;
  const sampling = sampleSearchable(api, {
    everyMs: SAMPLE_EVERY_MS,
    newest: () => acked.at(-1),
    isOver: () => isOver,
  });
  await Promise.all(
    talks.map(({ who, talk }, user) => {
      const texts = Array.from({ length: eventCount }, (_, index) => textOf(user * eventCount + index));
      const plannedAtMs = (index: number): number => startAtMs + ((index + user / users) * 1000) / perSecond;
      return talk.run({ ...who, texts, plannedAtMs }, (event) => void acked.push(event));
    }),
  );
  const wallSeconds = (performance.now() - startAtMs) / 1000;
  isOver = true;
  const samples = await sampling;
  const cpu = cpuSecondsBetween(cpuBefore, cpuSecondsByPart(target.pids));
  const counted = await recountAll(api, { tenantId: scenario.tenantId, talks, acked, eventCount });
  const peaks = memory.end();

  const acks = acked.map(({ ackMs }) => ackMs);
  const searchable = samples.map(({ searchableMs }) => searchableMs);
  const target95 = users === 3 ? { target: 3_000, isCost: true } : { isCost: true };
  figures.push(
    single(`append ack p50, ${name}`, "ms", median(acks)),
    single(`append ack p95, ${name}`, "ms", percentile(acks, 0.95)),
    single(`append ack p99, ${name}`, "ms", percentile(acks, 0.99)),
    single(`append to searchable p50, ${name}`, "ms", median(searchable)),
    { ...single(`append to searchable p95, ${name}`, "ms", percentile(searchable, 0.95)), ...target95 },
    {
      ...single(`events lost or duplicated, ${name}`, "events", counted.lost + counted.duplicated),
      target: 0,
      isCost: true,
    },
  );
  const statuses = countBy(acked.map(({ status }) => status));
  const lines = [
    `${name}, ${seconds} s: ${acked.length} events (${statuses}), ${counted.lost} lost, ${counted.duplicated} duplicated; outcomes ${counted.outcomes}`,
    `${name}: ${samples.length} searches by an event's own text, ${samples.filter(({ isFound }) => isFound).length} found it among 10`,
    `${name}: share of all cores: ${STACK_PARTS.map((part) => `${part} ${((cpu[part] / (wallSeconds * availableParallelism())) * 100).toFixed(1)} %`).join(", ")}`,
    `${name}: resident memory, MiB, idle and peak: ${STACK_PARTS.map((part) => `${part} ${peaks[part].idleMib.toFixed(0)} → ${peaks[part].peakMib.toFixed(0)}`).join(", ")}`,
  ];
  details.push(...lines);
  // The next scenario may take minutes, or break.
  console.log(
    [`${name}: ${latencyLine("ack", acks)}; ${latencyLine("searchable", searchable)}`, ...lines].join("\n  "),
  );
}

function latencyLine(what: string, latenciesMs: readonly number[]): string {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(latenciesMs, share).toFixed(0));
  return `${what} p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`;
}

/** The n-th sentence. When they are used up they begin again, with a number that makes them others. */
function textOf(index: number): string {
  const text = sentences[index % sentences.length] ?? "";
  const turn = Math.floor(index / sentences.length);
  return turn === 0 ? text : `${text} (${turn})`;
}

async function recountAll(
  api: { readonly url: string; readonly key: string },
  {
    tenantId,
    talks,
    acked,
    eventCount,
  }: {
    readonly tenantId: string;
    readonly talks: readonly {
      readonly who: { readonly userId: string; readonly sessionId: string };
      readonly talk: { readonly writeToken: string };
    }[];
    readonly acked: readonly AckedEvent[];
    readonly eventCount: number;
  },
): Promise<{ readonly lost: number; readonly duplicated: number; readonly outcomes: string }> {
  const bySession = Map.groupBy(acked, ({ sessionId }) => sessionId);
  const waiting = [...talks];
  let [lost, duplicated] = [0, 0];
  const outcomes: string[] = [];
  const countNext = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { who, talk } = next;
      const accepted = (bySession.get(who.sessionId) ?? []).filter(({ status }) => status === "appended");
      const texts = new Map(accepted.map(({ seq, text }) => [seq, text]));
      const count = await recountSession(api, { ...who, tenantId, writeToken: talk.writeToken, texts, eventCount });
      lost += count.lostCount;
      duplicated += count.duplicatedCount;
      for (const [outcome, times] of Object.entries(count.outcomes))
        outcomes.push(...Array<string>(times).fill(outcome));
    }
  };
  await Promise.all(Array.from({ length: RECOUNTED_AT_ONCE }, countNext));
  return { lost, duplicated, outcomes: countBy(outcomes) };
}

function countBy(names: readonly string[]): string {
  return [...Map.groupBy(names, (name) => name)].map(([name, all]) => `${all.length} ${name}`).join(", ");
}

function single(name: string, unit: string, value: number): Figure {
  return { name, unit, ours: { name: "service", samples: [value] }, isCost: true };
}
