import { FUSIONS, SEARCH_MODES } from "../../lib/contract/search.ts";
import { TIERS } from "../../lib/contract/scope.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { printHits, search } from "../demo/print-hits.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";

/** `jeeves search QUERY`: hits with their scores. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const query = args.positionals.join(" ").trim();
  if (query === "") throw usageError("search takes the words to search for");
  const tiers = args.texts("tier").map((tier) => {
    const known = TIERS.find((candidate) => candidate === tier);
    if (known === undefined) throw usageError(`--tier takes one of ${TIERS.join(", ")}, not "${tier}"`);
    return known;
  });
  const sources = args.texts("source");
  const request = {
    query,
    k: args.integer("k", { min: 1, max: 100 }) ?? 5,
    explain: true,
    ...present("user_id", args.text("user")),
    ...present("mode", args.choice("mode", SEARCH_MODES)),
    ...present("fusion", args.choice("fusion", FUSIONS)),
    ...(tiers.length === 0 ? {} : { tiers }),
    ...(sources.length === 0 ? {} : { filters: { sources } }),
  };
  const { api } = await requireConnection(args);
  const startedAtMs = performance.now();
  const reply = await search(api, request);
  if (args.flag("json")) console.log(JSON.stringify(reply));
  else if (reply.hits.length === 0) console.log("  no hit");
  else printHits(`“${query}”`, reply, performance.now() - startedAtMs);
  return EXIT.ok;
}

function present(name: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [name]: value };
}
