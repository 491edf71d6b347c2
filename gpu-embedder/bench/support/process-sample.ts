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

/** Kernel ticks in a second: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor seconds that the first thread of a process has taken: in Node the one that runs JavaScript. Reads /proc. */
export function mainThreadSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, "utf8");
  // The name in brackets may hold blanks; user and system time are the 14th and 15th field of the line.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
