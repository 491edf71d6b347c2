import { withHelp } from "../stack/help-topic.ts";
import { ApiClient } from "./api-client.ts";
import type { CommandArguments } from "./arguments/command-arguments.ts";
import { CommandError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { readLocalKey } from "./local/local-key.ts";
import { findRunningStack } from "./local/running-stack.ts";

/** Where a command talks to, and with what. */
export interface Connection {
  readonly url: string;
  readonly key: string;
  readonly api: ApiClient;
}

/** The service and key of the flags, else of the environment, else those of the stack that runs here. undefined where there is none. */
export async function findConnection(args: CommandArguments): Promise<Connection | undefined> {
  const url = args.text("url") ?? process.env["JEEVES_URL"];
  const key = args.text("key") ?? process.env["JEEVES_KEY"];
  if (url !== undefined && url !== "") {
    if (!URL.canParse(url)) throw new CommandError(`"${url}" is not a URL`, EXIT.usage);
    if (key === undefined || key === "")
      throw new CommandError(withHelp("no api key: set JEEVES_KEY or give --key", "401"), EXIT.unauthorised);
    return { url, key, api: new ApiClient(url, key) };
  }
  const stack = await findRunningStack();
  if (stack === undefined) return undefined;
  const local = await readLocalKey();
  const known = key ?? (local?.url === stack.url ? local.key : undefined);
  if (known === undefined)
    throw new CommandError(
      withHelp(`no api key for ${stack.url}: set JEEVES_KEY or give --key`, "401"),
      EXIT.unauthorised,
    );
  return { url: stack.url, key: known, api: new ApiClient(stack.url, known) };
}

/** The same, where there has to be one. */
export async function requireConnection(args: CommandArguments): Promise<Connection> {
  const connection = await findConnection(args);
  if (connection !== undefined) return connection;
  const message = 'no service: set JEEVES_URL and JEEVES_KEY, or run "make up"';
  throw new CommandError(withHelp(message, "no-service"), EXIT.unreachable);
}
