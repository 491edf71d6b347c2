import { peakMemoryMib, processTree, type ProcessFacts } from "../support/process-usage.ts";

/** Parts of a running stack by what they do. */
export const STACK_PARTS = ["embedder", "workerd", "postgres", "stack"] as const;
export type StackPart = (typeof STACK_PARTS)[number];

export type PartCpuSeconds = Readonly<Record<StackPart, number>>;

function partOf({ name, commandLine }: ProcessFacts): StackPart {
  if (commandLine.includes("gpu-embedder")) return "embedder";
  if (name.startsWith("workerd")) return "workerd";
  if (name.startsWith("postgres")) return "postgres";
  return "stack";
}

/** Processor seconds of each part so far. `stack` is the Node process with PGlite, the SQL endpoint and Miniflare's own code. */
export function cpuSecondsByPart(rootPids: readonly number[]): PartCpuSeconds {
  const seconds = { embedder: 0, workerd: 0, postgres: 0, stack: 0 };
  for (const facts of rootPids.flatMap((pid) => processTree(pid))) seconds[partOf(facts)] += facts.cpuSeconds;
  return seconds;
}

/** Process ids of each part now. */
export function pidsByPart(rootPids: readonly number[]): Readonly<Record<StackPart, readonly number[]>> {
  const all = rootPids.flatMap((pid) => processTree(pid));
  const of = (part: StackPart): readonly number[] =>
    all.filter((facts) => partOf(facts) === part).map(({ pid }) => pid);
  return { embedder: of("embedder"), workerd: of("workerd"), postgres: of("postgres"), stack: of("stack") };
}

/** Largest resident memory so far of the largest process of each part, MiB. */
export function peakMemoryByPart(rootPids: readonly number[]): Readonly<Record<StackPart, number>> {
  const peaks = { embedder: 0, workerd: 0, postgres: 0, stack: 0 };
  for (const facts of rootPids.flatMap((pid) => processTree(pid))) {
    const part = partOf(facts);
    peaks[part] = Math.max(peaks[part], peakMemoryMib(facts.pid) ?? 0);
  }
  return peaks;
}

/** What was used between two readings. Pure. */
export function cpuSecondsBetween(before: PartCpuSeconds, after: PartCpuSeconds): PartCpuSeconds {
  return {
    embedder: after.embedder - before.embedder,
    workerd: after.workerd - before.workerd,
    postgres: after.postgres - before.postgres,
    stack: after.stack - before.stack,
  };
}
