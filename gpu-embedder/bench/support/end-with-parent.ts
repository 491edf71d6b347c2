import type { ChildProcess } from "node:child_process";

const children = new Set<ChildProcess>();
let isWatching = false;

/** Has a server end with this process, however that ends: an error, or a signal to it alone. */
export function endWithParent(child: ChildProcess): void {
  if (!isWatching) {
    isWatching = true;
    process.once("exit", () => {
      for (const running of children) running.kill("SIGTERM");
    });
    for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.once(signal, () => process.exit(1));
  }
  children.add(child);
  child.once("exit", () => children.delete(child));
}
