import type { CommandArguments } from "../arguments/command-arguments.ts";
import { withHelp } from "../../stack/help-topic.ts";
import { CommandError } from "../command-error.ts";
import { DEV_TENANT, startDevStack } from "../local/dev-stack.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { forgetLocalKey, rememberLocalKey } from "../local/local-key.ts";
import { findRunningStack } from "../local/running-stack.ts";
import { style } from "../terminal/style.ts";

const PORT_DEFAULT = 8787;
const PORTS = { min: 0, max: 65_535 };

/** `jeeves up`: the local stack until Ctrl-C, with a tenant and a key to try it. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const port = args.integer("port", PORTS) ?? Number(process.env["PORT"] ?? PORT_DEFAULT);
  const running = await findRunningStack();
  if (running !== undefined)
    throw new CommandError(
      withHelp(`the stack runs already: ${running.url} (process ${running.pid})`, "stack-runs-already"),
    );
  const isJson = args.flag("json");
  const log = (line: string): void => (isJson ? console.error(line) : console.log(line));
  const { stack, key } = await startDevStack({ port, label: "jeeves up", log });
  const ended = untilSignal();
  try {
    await rememberLocalKey({ url: stack.url, key });
    if (isJson) console.log(JSON.stringify({ url: stack.url, tenant: DEV_TENANT, key, embedder: stack.embedEndpoint }));
    else
      console.log(`
  ${style.bold("Jeeves Indexer")} listens on ${style.cyan(stack.url)}
  page      ${stack.url}/
  docs      ${stack.url}/docs
  tenant    ${DEV_TENANT}
  api key   ${key}   ${style.dim("(valid for a day)")}
  database  ${stack.database.kind}${stack.database.fetchEndpoint === undefined ? "" : ` behind ${stack.database.fetchEndpoint}`}
  embedder  ${stack.embedEndpoint}

  Ctrl-C ends all of it; the data stays until "make reset".
`);
    await ended;
    log("  stopping");
    return EXIT.ok;
  } finally {
    await forgetLocalKey();
    await stack.stop();
  }
}

/** Resolves at Ctrl-C. Miniflare's own handler would end the process at once, with the database open: ours takes its place. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.removeAllListeners(signal);
      process.once(signal, () => resolve());
    }
  });
}
