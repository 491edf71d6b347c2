import { parseArgs } from "node:util";
import { StackError } from "../stack/stack-config.ts";
import { CommandError } from "./command-error.ts";
import { buildIndex } from "./commands/build-index.ts";
import { demo } from "./commands/demo.ts";
import { keys } from "./commands/keys.ts";
import { up } from "./commands/up.ts";

const HELP = `jeeves: command line of Jeeves Indexer

  jeeves demo [--all]                     real text through the whole local system, checked
  jeeves up [--port N]                    the local stack until Ctrl-C (port 8787; PORT=N works too)
  jeeves keys create --tenant T [--user U] [--scopes ingest,search,admin] [--label L] [--days N]
  jeeves keys list   --tenant T
  jeeves keys rotate --tenant T --id KEY_ID [--overlap-seconds N]
  jeeves keys revoke --tenant T --id KEY_ID
  jeeves build-index                      search indexes for large partitions of DATABASE_URL (as its owner)

Environment: DATABASE_URL (keys; also up and demo, instead of PGlite),
APP_DATABASE_URL (role jeeves_app, where the database is on another machine), EMBED_ENDPOINT (instead of the local embedder)
`;

const PORT_DEFAULT = 8787;

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      all: { type: "boolean", default: false },
      port: { type: "string" },
      tenant: { type: "string" },
      user: { type: "string" },
      scopes: { type: "string" },
      label: { type: "string" },
      days: { type: "string" },
      id: { type: "string" },
      "overlap-seconds": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const [command = "help", action = ""] = positionals;
  if (values.help || command === "help") {
    console.log(HELP);
    return;
  }
  switch (command) {
    case "demo":
      return demo({ isWholeCorpus: values.all });
    case "up":
      return up({ port: Number(values.port ?? process.env["PORT"] ?? PORT_DEFAULT) });
    case "build-index":
      console.log(JSON.stringify(await buildIndex(), null, 2));
      return;
    case "keys": {
      const { tenant, user, scopes, label, days, id } = values;
      const overlapSeconds = values["overlap-seconds"];
      console.log(
        JSON.stringify(await keys({ action, tenant, user, scopes, label, days, id, overlapSeconds }), null, 2),
      );
      return;
    }
    default:
      throw new CommandError(`unknown command "${command}"\n\n${HELP}`);
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof CommandError || error instanceof StackError) console.error(`jeeves: ${error.message}`);
  else console.error(error);
  process.exitCode = 1;
}
