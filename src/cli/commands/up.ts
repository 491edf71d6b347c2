import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError } from "../command-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { keysContext } from "../keys-context.ts";
import { forgetLocalKey, rememberLocalKey } from "../local-key.ts";
import { findRunningStack, startLocalStack } from "../running-stack.ts";
import { style } from "../terminal/style.ts";
import { createKey, createTenant } from "../../lib/flows/manage-keys.ts";
import { ensureActiveModel } from "../ensure-active-model.ts";

const DEV_TENANT = "dev";
const PORT_DEFAULT = 8787;
const PORTS = { min: 0, max: 65_535 };

/** `jeeves up`: the local stack until Ctrl-C, with a tenant and a key to try it. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const port = args.integer("port", PORTS) ?? Number(process.env["PORT"] ?? PORT_DEFAULT);
  const running = await findRunningStack();
  if (running !== undefined) throw new CommandError(`the stack runs already: ${running.url} (process ${running.pid})`);
  const stack = await startLocalStack({ port, log: (line) => console.log(style.dim(`  ${line}`)) });
  const ended = untilSignal();
  try {
    await createTenant(stack.ownerSql, DEV_TENANT, "Local development");
    const key = await createKey(keysContext(stack.ownerSql), {
      tenantId: DEV_TENANT,
      userId: "",
      scopes: ["ingest", "search", "admin"],
      label: "jeeves up",
      expiresAtMs: Date.now() + 24 * 60 * 60 * 1000,
    });
    if (!key.ok) throw new CommandError(`no key could be made: ${key.error.code}`);
    await ensureActiveModel(stack.url, key.value.key);
    await rememberLocalKey({ url: stack.url, key: key.value.key });
    console.log(`
  ${style.bold("Jeeves Indexer")} listens on ${style.cyan(stack.url)}
  docs      ${stack.url}/docs
  tenant    ${DEV_TENANT}
  api key   ${key.value.key}   ${style.dim("(valid for a day)")}
  database  ${stack.database.kind}${stack.database.fetchEndpoint === undefined ? "" : ` behind ${stack.database.fetchEndpoint}`}
  embedder  ${stack.embedEndpoint}

  Ctrl-C ends all of it; the data stays until "make reset".
`);
    await ended;
    console.log("  stopping");
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
