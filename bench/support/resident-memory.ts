/** Resident memory of processes over time, from Linux's /proc. */
import { readFileSync } from "node:fs";

/** Resident memory now, MiB; undefined when the process has ended. */
export function residentMib(pid: number): number | undefined {
  try {
    const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return line === null ? undefined : Number(line[1]) / 1024;
  } catch {
    return undefined;
  }
}

export interface MemoryChange {
  /** When the watch began. */
  readonly idleMib: number;
  readonly peakMib: number;
}

/** Samples the memory of named groups of processes (the largest process of each) until it is ended. */
export function watchMemory<Name extends string>(
  pidsByName: Readonly<Record<Name, readonly number[]>>,
  everyMs: number,
): { end(): Readonly<Record<Name, MemoryChange>> } {
  const names = Object.keys(pidsByName) as Name[]; // oxlint-disable-line typescript/no-unsafe-type-assertion -- the record's own keys
  const now = (name: Name): number => Math.max(0, ...pidsByName[name].map((pid) => residentMib(pid) ?? 0));
  const changes = new Map(names.map((name) => [name, { idleMib: now(name), peakMib: now(name) }]));
  const sample = (): void => {
    for (const [name, change] of changes) change.peakMib = Math.max(change.peakMib, now(name));
  };
  const timer = setInterval(sample, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      sample();
      return Object.fromEntries(changes) as Record<Name, MemoryChange>; // oxlint-disable-line typescript/no-unsafe-type-assertion -- as above
    },
  };
}
