import { readConfig } from "./config.ts";
import { jsonLog } from "./log.ts";
import { startServer } from "./server.ts";

/** Exit codes: 0 a clean stop, 1 could not start or stop. */
const startMs = performance.now();
const log = jsonLog(process.stdout, () => Date.now());

const config = readConfig(process.env);
const started = config.ok ? await startServer(config.value, process.env, log) : config;
if (!started.ok) {
  log("start_failed", started.error);
  process.exit(1);
}
const { port, fingerprint, stop } = started.value;

let stopping = false;
const shutDown = (signal: string): void => {
  if (stopping) return;
  stopping = true;
  const drainSeconds = config.ok ? config.value.limits.drainSeconds : 0;
  log("draining", { signal });
  setTimeout(() => {
    log("drain_timed_out");
    process.exit(1);
  }, drainSeconds * 1000).unref();
  stop().then(
    () => {
      log("stopped");
      process.exit(0);
    },
    () => process.exit(1),
  );
};
process.on("SIGTERM", () => shutDown("SIGTERM"));
process.on("SIGINT", () => shutDown("SIGINT"));

log("listening", {
  port,
  host: config.ok ? config.value.host : "",
  fingerprint,
  startup_ms: Math.round(performance.now() - startMs),
});
