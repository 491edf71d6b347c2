import { readConfig } from "./config.ts";
import { jsonLog, type LogFields } from "./log.ts";
import { startServer } from "./server.ts";

/**
 * Exit code 0: a clean stop; 1: could not start. What may not wait for running batches (drain time over, a second signal, a crash, a
 * self-test that fails again and again) ends the process by SIGKILL: `process.exit` would end threads inside ONNX Runtime, which aborts with a core dump.
 */
const startMs = performance.now();
const log = jsonLog(process.stdout, () => Date.now());

function endAtOnce(event: string, fields: LogFields = {}): void {
  log(event, fields);
  process.kill(process.pid, "SIGKILL");
}

// Node's own report would print the error's message, which may quote a text.
process.on("uncaughtException", (cause) => {
  const frame = cause.stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
  endAtOnce("crashed", { name: cause.name, at: frame?.trim() });
});

const config = readConfig(process.env);
const started = config.ok ? await startServer(config.value, process.env, log) : config;
if (!started.ok) {
  log("start_failed", started.error);
  process.exit(1);
}
const { port, fingerprint, stop, broken } = started.value;
// Its supervisor starts a new process: a container's restart policy, Kubernetes, systemd.
void broken.then(() => endAtOnce("self_test_failing"));

let stopping = false;
const shutDown = (signal: string): void => {
  if (stopping) return endAtOnce("stopped_at_once", { signal });
  stopping = true;
  const drainSeconds = config.ok ? config.value.limits.drainSeconds : 0;
  log("draining", { signal });
  setTimeout(() => endAtOnce("drain_timed_out"), drainSeconds * 1000).unref();
  void stop().then(() => {
    log("stopped");
    process.exit(0);
  });
};
process.on("SIGTERM", () => shutDown("SIGTERM"));
process.on("SIGINT", () => shutDown("SIGINT"));

log("listening", {
  port,
  host: config.ok ? config.value.host : "",
  fingerprint,
  startup_ms: Math.round(performance.now() - startMs),
});
