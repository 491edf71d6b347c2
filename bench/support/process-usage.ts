/** What processes cost, from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Linux reports processor time in this unit to user space on every architecture. */
const TICKS_PER_SECOND = 100;

export interface ProcessFacts {
  readonly pid: number;
  readonly parentPid: number;
  /** Name of the program. */
  readonly name: string;
  readonly commandLine: string;
  /** User and system time since its start, with that of its children that ended. */
  readonly cpuSeconds: number;
}

function factsOf(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses and may hold spaces; the numbered fields begin after the last one.
    const nameEnd = stat.lastIndexOf(")");
    const fields = stat.slice(nameEnd + 2).split(" ");
    return {
      pid,
      parentPid: Number(fields[1]),
      name: stat.slice(stat.indexOf("(") + 1, nameEnd),
      commandLine: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim(),
      cpuSeconds: [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS_PER_SECOND,
    };
  } catch {
    return undefined;
  }
}

/** A process and all that descend from it. */
export function processTree(rootPid: number): readonly ProcessFacts[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => factsOf(Number(name)))
    .filter((facts) => facts !== undefined);
  const inTree = new Set([rootPid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const { pid, parentPid } of all) {
      if (inTree.has(parentPid) && !inTree.has(pid)) {
        inTree.add(pid);
        grown = true;
      }
    }
  }
  return all.filter(({ pid }) => inTree.has(pid));
}

/** Largest resident memory of a process so far, MiB. Undefined when it has ended. */
export function peakMemoryMib(pid: number): number | undefined {
  try {
    const line = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return line === null ? undefined : Number(line[1]) / 1024;
  } catch {
    return undefined;
  }
}
