/** The phases of a load run, one after another. */
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { BenchStack } from "../end-to-end/bench-stack.ts";
import type { BenchText } from "../support/read-texts.ts";
import { poissonArrivalsMs } from "./arrivals.ts";
import { normalAgainSecond, type Probe } from "./judge-level.ts";
import type { LoadOptions } from "./load-options.ts";
import type { LoadReport, Phase, PhaseKind, Recovery } from "./load-report.ts";
import { LoadSource } from "./load-source.ts";
import { backlogAt, followedOf, phaseFigures, type Observed } from "./phase-figures.ts";
import { recount, verifySome } from "./recount.ts";
import { DocumentSender, nowMs, type Sent } from "./send-document.ts";
import { sendAt, sendBulk } from "./send-phases.ts";
import { watchSearches } from "./watch-searches.ts";

/** Characters of text that make about one chunk of English. */
const CHUNK_CHARACTERS = 1_000;
const BULK_CLIENTS = 8;
/** Far beyond what a machine under test has to answer at once; Linux gives a process a thousand files or more. */
const CONNECTIONS_MAX = 800;
const SEARCH_EVERY_MS = 500;
const VERIFIED = 20;
/** How long the last document of a phase may take. */
const DRAIN_MS = 1_800_000;
/** Open-loop phases begin a little later, so that the first document is not late. */
const START_AFTER_MS = 200;
const PROBE_EVERY_MS = 1_000;
/** Levels above the given ones, while even those hold, each so much higher than the one before. */
const LEVELS_BEYOND_MAX = 6;
const BEYOND_FACTOR = 1.25;
/** What is still the same latency, as a multiple of the p95 of the lowest level. */
const NORMAL_FACTOR = 2;

export interface LoadRunParts {
  readonly stack: Pick<BenchStack, "url" | "keyOf">;
  readonly texts: readonly BenchText[];
  readonly options: LoadOptions;
  readonly runAtMs: number;
  readonly log: (line: string) => void;
}

interface Stretch {
  readonly name: string;
  readonly kind: PhaseKind;
  readonly ratePerSecond: number | null;
}

type SentPhase = Omit<Observed, "ended" | "verified">;

type Measured = Pick<LoadReport, "capacityPerSecond" | "holdsAtPerSecond" | "bendsAtPerSecond" | "phases" | "recovery">;

export class LoadRun {
  readonly #parts: LoadRunParts;
  readonly #source: LoadSource;
  readonly #random: () => number;

  constructor(parts: LoadRunParts) {
    this.#parts = parts;
    const { charactersMin, seed } = parts.options;
    this.#source = new LoadSource(parts.texts, { charactersMin, keyOf: (tenantId) => parts.stack.keyOf(tenantId) });
    const random = new SeededRandom(seed);
    this.#random = () => random.next();
  }

  async measure(): Promise<Measured> {
    const sender = new DocumentSender(this.#parts.stack.url, CONNECTIONS_MAX);
    try {
      const bulk = await this.#bulk(sender);
      const capacityPerSecond = bulk.documentsPerSecond;
      const levels = await this.#levels(sender, capacityPerSecond);
      const { phases, recovery } = await this.#overload(sender, capacityPerSecond, levels[0]);
      return {
        capacityPerSecond,
        holdsAtPerSecond: levels.findLast(({ verdict }) => verdict?.holds === true)?.ratePerSecond ?? null,
        bendsAtPerSecond: levels.find(({ verdict }) => verdict?.holds === false)?.ratePerSecond ?? null,
        phases: [bulk, ...levels, ...phases],
        recovery,
      };
    } finally {
      sender.close();
    }
  }

  async #bulk(sender: DocumentSender): Promise<Phase> {
    const { chunks, charactersMin } = this.#parts.options;
    const documentCount = Math.max(1, Math.round((chunks * CHUNK_CHARACTERS) / charactersMin));
    await this.#source.prepare(documentCount);
    const stretch = { name: `bulk, ${BULK_CLIENTS} clients`, kind: "bulk", ratePerSecond: null } as const;
    const sent = await this.#send(stretch, nowMs(), (onSent) =>
      sendBulk({ sender, source: this.#source, onSent }, { clients: BULK_CLIENTS, documentCount }),
    );
    return this.#figures(await this.#follow(sent));
  }

  /** Upwards, until one bends. */
  async #levels(sender: DocumentSender, capacityPerSecond: number): Promise<readonly Phase[]> {
    const { levels, levelSeconds } = this.#parts.options;
    const last = levels.at(-1) ?? 1;
    // The bulk's capacity is what eight clients reached; a level may hold above it.
    const beyond = Array.from({ length: LEVELS_BEYOND_MAX }, (_, index) => last * BEYOND_FACTOR ** (index + 1));
    const phases: Phase[] = [];
    for (const level of [...levels, ...beyond]) {
      const ratePerSecond = level * capacityPerSecond;
      const stretch = { name: `level ${Number(level.toFixed(2))} ×`, kind: "level", ratePerSecond } as const;
      const phase = await this.#level(sender, stretch, levelSeconds);
      phases.push(phase);
      if (phase.verdict?.holds !== true) break;
    }
    return phases;
  }

  async #overload(
    sender: DocumentSender,
    capacityPerSecond: number,
    calm: Phase | undefined,
  ): Promise<{ readonly phases: readonly Phase[]; readonly recovery: Recovery }> {
    const { overloadFactor, overloadSeconds, recoverySeconds } = this.#parts.options;
    const ratePerSecond = overloadFactor * capacityPerSecond;
    const stretch = { name: `overload ${overloadFactor} ×`, kind: "overload", ratePerSecond } as const;
    const probes = Array.from(
      { length: Math.ceil((recoverySeconds * 1000) / PROBE_EVERY_MS) },
      (_, index) => index * PROBE_EVERY_MS,
    );
    const arrivals = poissonArrivalsMs(ratePerSecond, overloadSeconds, this.#random);
    await this.#source.prepare(arrivals.length + probes.length);
    const startAtMs = nowMs() + START_AFTER_MS;
    const endAtMs = startAtMs + overloadSeconds * 1000;
    // The probes begin with the end of the overload, whatever of it is still unanswered.
    const probing = this.#send(
      { name: "way back, a document a second", kind: "recovery", ratePerSecond: 1000 / PROBE_EVERY_MS },
      endAtMs,
      (onSent) => sendAt({ sender, source: this.#source, onSent }, probes, endAtMs),
    );
    const sending = this.#send(stretch, startAtMs, (onSent) =>
      sendAt({ sender, source: this.#source, onSent }, arrivals, startAtMs),
    );
    // Nothing is counted again before the watch is over: the questions would be load as well.
    const [sentOver, sentAfter] = await Promise.all([sending, probing]);
    const overloaded = await this.#follow(sentOver);
    const probed = await this.#follow(sentAfter);
    const bounds = {
      acceptBelowMs: NORMAL_FACTOR * (calm?.accept.p95 ?? 0),
      searchableBelowMs: NORMAL_FACTOR * (calm?.searchable.p95 ?? 0),
    };
    return {
      phases: [this.#figures(overloaded), this.#figures(probed)],
      recovery: {
        ...bounds,
        backlogGoneSeconds: backlogGoneSecond(overloaded, endAtMs),
        normalSeconds: normalAgainSecond(probesOf(probed, endAtMs), bounds),
      },
    };
  }

  async #level(sender: DocumentSender, stretch: Stretch, seconds: number): Promise<Phase> {
    const arrivals = poissonArrivalsMs(stretch.ratePerSecond ?? 0, seconds, this.#random);
    await this.#source.prepare(arrivals.length);
    const startAtMs = nowMs() + START_AFTER_MS;
    const sent = await this.#send(stretch, startAtMs, (onSent) =>
      sendAt({ sender, source: this.#source, onSent }, arrivals, startAtMs),
    );
    return this.#figures(await this.#follow(sent));
  }

  /** Sends, and searches meanwhile. */
  async #send(
    stretch: Stretch,
    startAtMs: number,
    send: (onSent: (sent: Sent) => void) => Promise<void>,
  ): Promise<SentPhase> {
    const sent: Sent[] = [];
    let newest: Sent | undefined;
    const searching = watchSearches(this.#parts.stack.url, SEARCH_EVERY_MS, () => newest);
    await send((one) => {
      sent.push(one);
      if (one.token !== null && one.verdict === "accepted") newest = one;
    });
    return { ...stretch, startAtMs, sent, searches: await searching.end() };
  }

  /** Waits until each accepted request has ended, and counts what became of it. */
  async #follow(phase: SentPhase): Promise<Observed> {
    const { url } = this.#parts.stack;
    const ended = await recount(url, phase.sent, DRAIN_MS);
    return { ...phase, ended, verified: await verifySome(url, phase.sent, VERIFIED) };
  }

  #figures(observed: Observed): Phase {
    const { runAtMs, options, log } = this.#parts;
    const phase = phaseFigures(observed, runAtMs, options.searchableBoundMs);
    const { name, ratePerSecond, requests, accept, searchable, lost, verdict } = phase;
    const rate = ratePerSecond === null ? "" : ` (${ratePerSecond.toFixed(1)}/s)`;
    const holds = verdict === null ? "" : verdict.holds ? "; holds" : `; bends: ${verdict.reasons.join(", ")}`;
    log(
      `${name}${rate}: ${requests.sent} sent, ${requests.accepted} accepted, ${requests.refused} refused, ${lost} lost; ${phase.chunksPerSecond.toFixed(1)} chunks/s; accept p95 ${text(accept.p95)}, searchable p95 ${text(searchable.p95)}${holds}`,
    );
    return phase;
  }
}

function text(latencyMs: number | null): string {
  return latencyMs === null ? "–" : `${latencyMs.toFixed(0)} ms`;
}

/** Seconds after the end of the overload at which none of its documents waited any more; null where some are lost. */
function backlogGoneSecond(overloaded: Observed, endAtMs: number): number | null {
  const followed = followedOf(overloaded);
  if (followed.some(({ ended }) => ended === undefined)) return null;
  if (backlogAt(followed, endAtMs) === 0) return 0;
  return (Math.max(...followed.map(({ ended }) => ended?.appliedAtMs ?? 0)) - endAtMs) / 1000;
}

function probesOf({ sent, ended }: Observed, endAtMs: number): readonly Probe[] {
  return sent
    .map((one, index): Probe => {
      const end = ended[index];
      return {
        second: (one.plannedAtMs - endAtMs) / 1000,
        acceptMs: one.token === null ? null : one.repliedAtMs - one.plannedAtMs,
        searchableMs: end?.outcome === "indexed" ? end.appliedAtMs - one.plannedAtMs : null,
      };
    })
    .toSorted((a, b) => a.second - b.second);
}
