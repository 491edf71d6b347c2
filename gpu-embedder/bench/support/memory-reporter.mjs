/** Preloaded into the server by the soak (`node --import`): a log line with what only the process itself knows, every ten seconds. */
import { isMainThread } from "node:worker_threads";

const INTERVAL_MS = 10_000;

function report() {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().length;
  console.log(JSON.stringify({ event: "process_memory", heapUsed, external, arrayBuffers, handles }));
}

if (isMainThread) setInterval(report, INTERVAL_MS).unref();
