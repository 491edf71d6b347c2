import { cpus, freemem, loadavg, totalmem } from "node:os";

/** Variables that change how libraries of linear algebra run, where they are set. */
const THREAD_VARIABLES = ["OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"] as const;

/** One line: processor, memory, Node, and the variables above. */
export function describeMachine(environment: NodeJS.ProcessEnv): string {
  const gibibytes = (sizeBytes: number): string => (sizeBytes / 2 ** 30).toFixed(0);
  const set = THREAD_VARIABLES.flatMap((name) =>
    environment[name] === undefined ? [] : [`${name}=${environment[name]}`],
  );
  return [
    `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"}`,
    `${gibibytes(totalmem())} GiB (${gibibytes(freemem())} free)`,
    `Node ${process.versions.node}, ${process.platform}`,
    set.length === 0 ? `none of ${THREAD_VARIABLES.join(", ")} set` : set.join(" "),
  ].join("; ");
}

/** Processes that wanted the processor in the last minute, on average. */
export function loadNow(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
