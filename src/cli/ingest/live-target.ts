import { join } from "node:path";
import { sha256HexSync } from "../../lib/base/hash.ts";
import { stackFolders } from "../../stack/stack-config.ts";
import { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError } from "../command-error.ts";
import { findConnection } from "../connection.ts";
import { startDevStack } from "../local/dev-stack.ts";
import { EXIT } from "../exit-code.ts";
import { HOME_FOLDER } from "../home-folder.ts";
import { readLocalKey } from "../local/local-key.ts";

/** A service to ingest into. */
export interface LiveTarget {
  readonly api: ApiClient;
  readonly url: string;
  /** File of what it has accepted from here. That of a local stack lies with its data, and goes with it. */
  readonly statePath: string;
  readonly close: () => Promise<void>;
}

/** The service of the flags or the environment, the stack that runs here, or (with `--start`) a stack of its own for this command. */
export async function openTarget(args: CommandArguments, print: (line: string) => void): Promise<LiveTarget> {
  const connection = await findConnection(args);
  const localState = join(stackFolders(HOME_FOLDER).data, "ingest-state.jsonl");
  if (connection !== undefined) {
    const local = await readLocalKey();
    const name = sha256HexSync(`${connection.url} ${connection.key}`).slice(0, 16);
    const isLocal = local?.url === connection.url && local.key === connection.key;
    const statePath = isLocal ? localState : join(HOME_FOLDER, "ingest", `${name}.jsonl`);
    return { api: connection.api, url: connection.url, statePath, close: () => Promise.resolve() };
  }
  if (!args.flag("start"))
    throw new CommandError(
      'no service: set JEEVES_URL and JEEVES_KEY, run "make up", or give --start',
      EXIT.unreachable,
    );
  print("Starting the local stack");
  const { stack, key } = await startDevStack({ port: 0, label: "jeeves ingest", log: print });
  // Miniflare's own handler would end the process at once, with the database open.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.removeAllListeners(signal);
  return { api: new ApiClient(stack.url, key), url: stack.url, statePath: localState, close: () => stack.stop() };
}
