import { readdirSync, readFileSync } from "node:fs";

/** What Linux says of a process now. */
export interface ProcessSample {
  readonly residentMib: number;
  readonly threads: number;
  readonly fileDescriptors: number;
}

/** Reads /proc. Throws when the process has ended. */
export function sampleProcess(pid: number): ProcessSample {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return {
    residentMib: field("VmRSS") / 1024,
    threads: field("Threads"),
    fileDescriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}
