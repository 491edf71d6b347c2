/** The schedule of a campaign: what is done to which part at which moment. A pure function of its seed and size. */
import { SeededRandom } from "../support/seeded-random.ts";

export const PARTS = ["embedder", "postgres", "workerd", "bridge"] as const;
export type Part = (typeof PARTS)[number];

/** Replies with status 200 that no healthy embedding server gives. */
export const GARBAGE = ["not_json", "cut_json", "wrong_dimensions", "same_index", "too_few"] as const;
export type Garbage = (typeof GARBAGE)[number];

/** What becomes of one reply of the embedder: late, status 500, or garbage. */
export type Spoil =
  | { readonly kind: "slow"; readonly delayMs: number }
  | { readonly kind: "failing" }
  | { readonly kind: "garbage"; readonly garbage: Garbage };

export type Disturbance =
  /** SIGKILL; `downMs` later it is started again. workerd is started again at once, by Miniflare. */
  | { readonly kind: "kill"; readonly atMs: number; readonly part: Part; readonly downMs: number }
  /** Of the requests to the database, `share` are run and committed, and their connection is cut instead of a reply. */
  | { readonly kind: "cut_after_commit"; readonly atMs: number; readonly forMs: number; readonly share: number }
  /** The next replies of the embedder, `count` of them, whenever they come: a span of time may pass while it is down. */
  | { readonly kind: "bad_replies"; readonly atMs: number; readonly count: number; readonly spoil: Spoil }
  /** R2, Durable Objects and Postgres share a disk, which has no byte left. */
  | { readonly kind: "disk_full"; readonly atMs: number; readonly forMs: number };
export type DisturbanceKind = Exclude<Disturbance["kind"], "kill">;

export const DISTURBANCE_KINDS = [
  "cut_after_commit",
  "bad_replies",
  "disk_full",
] as const satisfies readonly DisturbanceKind[];

/** Load and faults together, then quiet until all is applied, then the recount. */
export interface Round {
  readonly disturbances: readonly Disturbance[];
  readonly loadMs: number;
}

export interface CampaignSize {
  readonly seed: number;
  readonly kills: number;
}

/** A round's quiet costs two minutes (the sweeper's age): few long rounds say as much as many short ones. */
const ROUND_KILLS_MAX = 12;
/** A kill may hit a part that is just starting: shorter than any start. */
const KILL_GAP_MS = { min: 800, max: 5_000 };
const DOWN_MS_MAX = 2_500;
const DISTURBANCE_MS = { min: 1_500, max: 5_000 };
const DELAY_MS = { min: 500, max: 4_000 };
const BAD_REPLIES = { min: 2, max: 5 };
/** One other disturbance for so many kills. */
const KILLS_PER_DISTURBANCE = 2;
/** Load before the first fault and after the last one, milliseconds. */
const LEAD_MS = 2_000;

export function planCampaign({ seed, kills }: CampaignSize): readonly Round[] {
  const random = new SeededRandom(seed);
  const roundCount = Math.ceil(kills / ROUND_KILLS_MAX);
  const parts = bagOf(PARTS, kills, random);
  const others = bagOf(DISTURBANCE_BAG, Math.ceil(kills / KILLS_PER_DISTURBANCE), random);
  return Array.from({ length: roundCount }, (_, round) => {
    const share = <T>(items: readonly T[]): readonly T[] =>
      items.slice(
        Math.floor((round * items.length) / roundCount),
        Math.floor(((round + 1) * items.length) / roundCount),
      );
    return planRound(share(parts), share(others), random);
  });
}

/** Replies can be bad in seven ways. */
const DISTURBANCE_BAG: readonly DisturbanceKind[] = [...DISTURBANCE_KINDS, "bad_replies", "bad_replies"];

/** Each of them as often as the others, in an order of the seed. */
function bagOf<T>(items: readonly T[], count: number, random: SeededRandom): readonly T[] {
  const bag: T[] = [];
  while (bag.length < count) bag.push(...random.shuffled(items));
  return bag.slice(0, count);
}

function planRound(parts: readonly Part[], others: readonly DisturbanceKind[], random: SeededRandom): Round {
  let atMs = LEAD_MS;
  const kills = parts.map((part): Disturbance => {
    const kill = { kind: "kill" as const, atMs, part, downMs: random.below(DOWN_MS_MAX) };
    atMs += random.between(KILL_GAP_MS.min, KILL_GAP_MS.max);
    return kill;
  });
  const rest = others.map((kind) => disturbanceOf(kind, random.between(LEAD_MS, atMs), random));
  const disturbances = [...kills, ...rest].sort((a, b) => a.atMs - b.atMs);
  return { disturbances, loadMs: Math.max(...disturbances.map(endMs)) + LEAD_MS };
}

function disturbanceOf(kind: DisturbanceKind, atMs: number, random: SeededRandom): Disturbance {
  if (kind === "bad_replies")
    return { kind, atMs, count: random.between(BAD_REPLIES.min, BAD_REPLIES.max), spoil: spoilOf(random) };
  const forMs = random.between(DISTURBANCE_MS.min, DISTURBANCE_MS.max);
  return kind === "disk_full" ? { kind, atMs, forMs } : { kind, atMs, forMs, share: random.between(2, 8) / 10 };
}

function spoilOf(random: SeededRandom): Spoil {
  const kind = random.pick(["slow", "failing", "garbage", "garbage"] as const);
  if (kind === "slow") return { kind, delayMs: random.between(DELAY_MS.min, DELAY_MS.max) };
  return kind === "failing" ? { kind } : { kind, garbage: random.pick(GARBAGE) };
}

function endMs(disturbance: Disturbance): number {
  if (disturbance.kind === "bad_replies") return disturbance.atMs;
  return disturbance.atMs + (disturbance.kind === "kill" ? disturbance.downMs : disturbance.forMs);
}
