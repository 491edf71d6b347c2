import type { Command, CommandOption } from "../arguments/command.ts";

const INPUTS = `Inputs are files, folders (all levels), patterns or - for the standard input: txt, md, html, pdf (its text), jsonl, csv, tsv,
eml, mbox. Records need a field text (or content, or body) and may have id, title, source, tier, user_id, occurred_at, metadata.`;

/** Flags of every command that reads files. */
export const INPUT_OPTIONS = {
  format: { value: "F", summary: "read every input as txt, md, html, pdf, jsonl, csv, eml or mbox" },
  source: { value: "NAME", summary: "source of records that name none (the folder's name)" },
  tier: { value: "TIER", summary: "event, summary, doc, profile or artifact, where a record names none (doc)" },
  user: { value: "U", summary: "user of records that name none (shared by the tenant)" },
  policy: { value: "FILE", summary: "policy as JSON, as PUT /v1/admin/policy takes it (the default one)" },
} as const satisfies Readonly<Record<string, CommandOption>>;

/** Commands that work on texts here, without a service. */
export const TEXT_COMMANDS: readonly Command[] = [
  {
    name: "curate",
    summary: "files into a curated dataset and a report",
    operands: "INPUT… --out FOLDER [FLAGS]",
    details: `${INPUTS}

Writes curated.jsonl (accepted, ready for ingest), quarantined.jsonl, verdicts.jsonl (one line per input, no text), report.json and
report.html. After Ctrl-C the same command goes on with the files that are not read yet.`,
    options: {
      out: { value: "FOLDER", summary: "where the results go (curated)" },
      ...INPUT_OPTIONS,
      baseline: { value: "REPORT", summary: "an earlier report.json: the report says what drifted since" },
      "acceptance-min": { value: "SHARE", summary: "exit code 3 when fewer of the inputs are accepted (0 to 1)" },
      "no-tokens": { summary: "count no chunks and tokens: needs no model files" },
    },
    examples: [
      "jeeves curate mails/ 'notes/**/*.md' --out curated",
      "cat records.jsonl | jeeves curate - --source export",
    ],
    load: () => import("../commands/curate.ts"),
  },
  {
    name: "inspect",
    summary: "what the system would do with texts: verdicts, personal data, duplicates, chunks",
    operands: "[INPUT…] [FLAGS]",
    details: `${INPUTS}

Texts are taken as they are, so that offsets are those of the input. With --json one line per text; docs/cli.md has the schema. Texts are
judged in batches of a thousand, as the service judges a request.`,
    options: {
      parts: { value: "LIST", summary: "only these of verdict, rules, pii, chunks" },
      ...INPUT_OPTIONS,
    },
    examples: ["jeeves inspect letter.eml", "jeeves inspect records.jsonl --json --parts pii"],
    load: () => import("../commands/inspect.ts"),
  },
];
