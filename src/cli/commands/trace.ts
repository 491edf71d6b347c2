import { requestTraceSchema } from "../../lib/contract/request-trace.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { traceLines } from "../trace/trace-text.ts";

/** `jeeves trace ID`: the life of a request, or of the requests of a batch. Code 1: something of it is pending or was buried. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [id, ...more] = args.positionals;
  if (id === undefined || more.length > 0) throw usageError("trace takes one request id, token or batch");
  const { api } = await requireConnection(args);
  const trace = await api.json(requestTraceSchema, { path: `/v1/admin/traces/${encodeURIComponent(id)}` });
  if (args.flag("json")) console.log(JSON.stringify(trace));
  else for (const line of traceLines(trace)) console.log(line);
  const isWhole = trace.requests.every((request) => request.pending_ranges.length === 0);
  return isWhole && !trace.events.some((event) => event.event === "buried") ? EXIT.ok : EXIT.failed;
}
