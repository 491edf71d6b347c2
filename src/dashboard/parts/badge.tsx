import type { ComponentChildren } from "preact";

export type Tone = "good" | "fair" | "warn" | "bad" | "plain" | "info";

const TONES: Readonly<Record<string, Tone>> = {
  indexed: "good",
  accepted: "good",
  done: "good",
  released: "good",
  active: "good",
  unchanged: "fair",
  duplicate: "info",
  running: "info",
  queued: "plain",
  releasing: "info",
  partial: "warn",
  quarantined: "warn",
  held: "warn",
  done_with_failures: "warn",
  rejected: "bad",
  failed: "bad",
  died: "bad",
  purged: "plain",
};

/** Colour of an outcome or a state, the same on every page. */
export function toneOf(word: string): Tone {
  return TONES[word] ?? "plain";
}

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** A state in words, coloured. */
export function State({ word }: { readonly word: string }) {
  return <Badge tone={toneOf(word)}>{word.replaceAll("_", " ")}</Badge>;
}
