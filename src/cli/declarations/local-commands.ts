import type { Command } from "../arguments/command.ts";

/** Commands that run or keep a stack. */
export const LOCAL_COMMANDS: readonly Command[] = [
  {
    name: "demo",
    summary: "real text through the whole local system, checked",
    operands: "[FLAGS]",
    options: { all: { summary: "233 documents instead of 62" } },
    load: () => import("../commands/demo.ts"),
  },
  {
    name: "up",
    summary: "the local stack until Ctrl-C",
    operands: "[FLAGS]",
    details: "While it runs, the other commands find it and its key by themselves.",
    options: { port: { value: "N", summary: "port of the service (8787; PORT=N works too)" } },
    load: () => import("../commands/up.ts"),
  },
  {
    name: "migrate",
    summary: "brings the database of DATABASE_URL up to date",
    operands: "",
    options: {},
    load: () => import("../commands/migrate-database.ts"),
  },
  {
    name: "keys",
    summary: "makes, lists, rotates and revokes api keys in DATABASE_URL",
    operands: "create|list|rotate|revoke --tenant T [FLAGS]",
    details: `Works on the database itself, as its owner. The key is shown once, when it is made. The scope operator opens what concerns all tenants
(jobs, models, metrics); it can be given here only.`,
    options: {
      tenant: { value: "T", summary: "tenant; made where there is none of that name" },
      user: { value: "U", summary: "binds the key to one user" },
      scopes: { value: "LIST", summary: "of ingest, search, admin, operator (ingest,search)" },
      label: { value: "TEXT", summary: "what the key is for" },
      days: { value: "N", summary: "days until it expires (never)" },
      id: { value: "KEY_ID", summary: "the key to rotate or revoke" },
      "overlap-seconds": { value: "N", summary: "how long the old key still works after a rotation (86400)" },
    },
    examples: [
      "DATABASE_URL=postgresql://… jeeves keys create --tenant acme --scopes ingest,search,admin",
      "DATABASE_URL=postgresql://… jeeves keys create --tenant operations --scopes operator",
    ],
    load: () => import("../commands/keys.ts"),
  },
  {
    name: "build-index",
    summary: "search indexes for large partitions of DATABASE_URL",
    operands: "",
    options: {},
    load: () => import("../commands/build-index.ts"),
  },
];
