import type { Frame } from "../../contract/session.ts";
import { withoutPayloads } from "../../pii/placeholder.ts";
import { CandidateSentences } from "../../summarise/candidate-sentences.ts";
import type { SegmentOutline } from "../../summarise/describe-segment.ts";
import type { SpokenSentence } from "../../summarise/spoken-sentence.ts";
import { type TermCounts, TermCounter } from "../../summarise/term-counts.ts";

/** Speakers counted by name. */
const SPEAKERS_MAX = 100;
/** The four roles as they are called where a message names no speaker. */
const ROLE_NAMES = { user: "User", assistant: "Assistant", system: "System", tool: "Tool" } as const;

/** What is kept of a segment whose frames pass by: its seqs and a bounded choice of what was said. */
export class SegmentDigest {
  readonly seqs: number[] = [];
  readonly #candidates: CandidateSentences;
  readonly #terms = new TermCounter();
  readonly #speakers = new Map<string, number>();
  #otherCount = 0;
  #firstAtMs = Infinity;
  #lastAtMs = -Infinity;

  /** @param eventCount frames that will come */
  constructor(eventCount: number) {
    this.#candidates = new CandidateSentences(eventCount);
  }

  add({ seq, at_ms: atMs, role, speaker, text: stored }: Frame): void {
    this.seqs.push(seq);
    this.#firstAtMs = Math.min(this.#firstAtMs, atMs);
    this.#lastAtMs = Math.max(this.#lastAtMs, atMs);
    const name = speaker === undefined ? ROLE_NAMES[role] : withoutPayloads(speaker);
    const count = this.#speakers.get(name);
    if (count !== undefined || this.#speakers.size < SPEAKERS_MAX) this.#speakers.set(name, (count ?? 0) + 1);
    else this.#otherCount += 1;
    const text = withoutPayloads(stored);
    this.#terms.add(text);
    this.#candidates.add({ seq, atMs, speaker: name, text });
  }

  outline(): SegmentOutline {
    const speakers = [...this.#speakers].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
    return {
      eventCount: this.seqs.length,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      speakers,
      otherCount: this.#otherCount,
    };
  }

  terms(): TermCounts {
    return this.#terms.read();
  }

  candidates(): readonly SpokenSentence[] {
    return this.#candidates.all();
  }
}
