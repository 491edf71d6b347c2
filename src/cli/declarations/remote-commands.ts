import type { Command, CommandOption } from "../arguments/command.ts";
import { INPUT_OPTIONS } from "./text-commands.ts";

/** Options of every command that talks to a service. */
export const CONNECTION_OPTIONS = {
  url: { value: "URL", summary: "the service (JEEVES_URL, or the stack that runs here)" },
  key: { value: "KEY", summary: "api key (JEEVES_KEY; a flag is seen by other users of this machine)" },
} as const satisfies Readonly<Record<string, CommandOption>>;

/** Commands that talk to a service. */
export const REMOTE_COMMANDS: readonly Command[] = [
  {
    name: "ingest",
    summary: "sends a dataset (--live), or says what would come of it (--dry-run)",
    operands: "INPUT… --dry-run|--live [FLAGS]",
    details: `A dry run judges and counts here, by the code of the service, and sends nothing. A live one sends what this service has not accepted
from here before, in requests whose idempotency keys are made of their content, and waits until the store has counted every input.
After Ctrl-C the same command sends the rest.`,
    options: {
      "dry-run": { summary: "judge and count only; needs no service" },
      live: { summary: "send" },
      ...CONNECTION_OPTIONS,
      start: { summary: "with --live: start the local stack for this command where no service is named and none runs" },
      "batch-tag": { value: "TAG", summary: "name of the batch (made of the content)" },
      "no-wait": { summary: "with --live: end when all is accepted" },
      ...INPUT_OPTIONS,
      out: { value: "FOLDER", summary: "with --dry-run: report.json, report.html, plan.json and summary.md go there" },
      summary: { value: "FILE", summary: "with --dry-run: appends the Markdown summary, as for $GITHUB_STEP_SUMMARY" },
      "acceptance-min": { value: "SHARE", summary: "exit code 3 when fewer of the inputs are accepted (0 to 1)" },
      "no-tokens": { summary: "with --dry-run: count no chunks and tokens" },
    },
    examples: [
      "jeeves ingest curated/curated.jsonl --dry-run --out simulation",
      "JEEVES_URL=https://… JEEVES_KEY=jvk_… jeeves ingest curated/curated.jsonl --live",
    ],
    load: () => import("../commands/ingest.ts"),
  },
  {
    name: "status",
    summary: "whether the service is ready and where its batches stand",
    operands: "[BATCH] [FLAGS]",
    options: {
      ...CONNECTION_OPTIONS,
      watch: { summary: "with BATCH: follow it to its end" },
      limit: { value: "N", summary: "batches shown (10)" },
    },
    load: () => import("../commands/status.ts"),
  },
  {
    name: "trace",
    summary: "the life of one request, or of a batch, in order of time",
    operands: "REQUEST|TOKEN|BATCH [FLAGS]",
    details: `REQUEST is the x-request-id of the reply, TOKEN what the reply calls so. It is told from what is stored: objects, ledger, receipts, dead letters, reports;
no log is searched. It needs an admin key. Code 1 says that something of it is pending, or cannot be applied.`,
    options: CONNECTION_OPTIONS,
    load: () => import("../commands/trace.ts"),
  },
  {
    name: "report",
    summary: "a report as a page: report.json of a curation, or a batch of the service",
    operands: "FILE|BATCH [FLAGS]",
    details: "The page is one file without script; nothing is loaded from anywhere. The JSON lies beside it.",
    options: { ...CONNECTION_OPTIONS, out: { value: "FILE", summary: "the page (beside the report, .html)" } },
    load: () => import("../commands/report.ts"),
  },
  {
    name: "quarantine",
    summary: "what was held back: list, show, release, purge",
    operands: "[list] | show ID… | release ID… | purge ID… [FLAGS]",
    options: {
      ...CONNECTION_OPTIONS,
      state: { value: "STATE", summary: "with list: held, releasing, released or purged" },
      limit: { value: "N", summary: "with list: inputs shown (50)" },
      before: { value: "ID", summary: "with list: the page after this one" },
      note: { value: "TEXT", summary: "with release and purge: why; kept with the decision" },
    },
    load: () => import("../commands/quarantine.ts"),
  },
  {
    name: "pii",
    summary: "personal data: newer rules for what is stored (rescan), sealed placeholders opened here (reveal)",
    operands: "rescan [FLAGS] | reveal FILE|- --key-file FILE",
    details: `rescan applies the rules and the policy of now to stored documents that older rules saw, page by page; what changes is redacted and
embedded anew. It needs an admin key. After Ctrl-C it says with which --after it goes on.

reveal writes a text with its sealed placeholders opened. It asks no service; the key is the tenant's one of PII_KEYS, and never leaves this machine.`,
    options: {
      ...CONNECTION_OPTIONS,
      "dry-run": { summary: "with rescan: say what would change, and change nothing" },
      after: { value: "ID", summary: "with rescan: go on after this document" },
      page: { value: "N", summary: "with rescan: documents of one request (100)" },
      "key-file": { value: "FILE", summary: "with reveal: a key, base64 of 32 bytes", isMultiple: true },
    },
    examples: ["jeeves pii rescan --dry-run", "jeeves pii reveal letter.txt --key-file acme.key"],
    load: () => import("../commands/pii.ts"),
  },
  {
    name: "profile",
    summary: "what is known of a user: get, put",
    operands: "get USER | put USER KEY=VALUE… [FLAGS]",
    details:
      "put sends facts of the command line, or of a file as PUT /v1/profiles/{user_id} takes it. Code 1 says that facts were refused.",
    options: {
      ...CONNECTION_OPTIONS,
      "as-of": { value: "TIME", summary: "with get: facts that held then (ISO 8601)" },
      history: { summary: "with get: all versions" },
      file: { value: "FILE", summary: "with put: JSON of the facts" },
      remove: { value: "KEY", summary: "with put: ends this fact", isMultiple: true },
      replace: { summary: "with put: ends all facts that are not named" },
      source: { value: "NAME", summary: "with put: where the facts are from" },
      "observed-at": { value: "TIME", summary: "with put: since when they are true (now)" },
      "if-version": { value: "N", summary: "with put: only if the profile still has this version" },
    },
    examples: [
      "jeeves profile put ann home_city=Lisbon --source onboarding",
      "jeeves profile get ann --as-of 2026-01-01T00:00:00Z",
    ],
    load: () => import("../commands/profile.ts"),
  },
  {
    name: "erase-user",
    summary: "erases everything of a user and prints the certificate",
    operands: "USER [--yes]",
    details: `It asks for the user's id once more, unless --yes is given, and repeats the request until all is erased. After Ctrl-C the same command goes on.
It needs an admin key of the tenant, or a key with the scope ingest that is bound to the user.`,
    options: { ...CONNECTION_OPTIONS, yes: { summary: "erase without asking" } },
    examples: ["jeeves erase-user ann", "jeeves erase-user ann --yes --json > certificate.json"],
    load: () => import("../commands/erase-user.ts"),
  },
  {
    name: "session",
    summary: "live conversations: open one, send it lines, see where it stands, seal it, erase it",
    operands: "open [ID] | send [ID] | status ID | seal ID | erase ID [FLAGS]",
    details: `send makes an event of each line of the standard input: plain text, or a JSON object with text and, where wanted, role, speaker, at_ms,
metadata and seq. Without ID it opens a new session. An event is durable when it is acknowledged, and searchable a second or two later. A cut
connection is tried again: every event keeps its seq, so that nothing is stored twice. Lines with a seq of their own may be sent again at any time.

open prints the write token, with which a program sends, seals and watches this session and reaches no other. erase removes a session for good: its log, its
segments and summaries, and every document of it.`,
    options: {
      ...CONNECTION_OPTIONS,
      user: { value: "U", summary: "whose session (the key's user, else shared by the tenant)" },
      source: { value: "NAME", summary: "with open and send: source of its events (session)" },
      live: { summary: "with send: over a WebSocket" },
      wait: { summary: "with open and send: wait in line where no more sessions can be open" },
      role: {
        value: "ROLE",
        summary: "with send: who speaks in lines that do not say: user, assistant, system, tool (user)",
      },
      speaker: { value: "NAME", summary: "with send: the speaker of lines that name none" },
      watch: { summary: "with status: follow it until every durable event is searchable" },
    },
    examples: [
      "echo 'My sister Ada lives in Graz.' | jeeves session send chat-1 --user ann --speaker Ann",
      "jeeves session status chat-1 --user ann --watch",
      "jeeves search where does the sister live --user ann --tier event",
      "tail -f talk.ndjson | jeeves session send chat-2 --user ann --wait",
    ],
    load: () => import("../commands/session.ts"),
  },
  {
    name: "job",
    summary: "scheduled jobs: list them, run one now, see its runs and their reports",
    operands: "ls | run NAME | runs NAME | show RUN [FLAGS]",
    details: `Needs a key with the scope operator: the local stack's has it, others are made by "jeeves keys create --scopes operator". run goes on until the
job has no work left; what it prints is the report of each run. docs/cron.md has the schedule, and what a run is.`,
    options: {
      ...CONNECTION_OPTIONS,
      "dry-run": { summary: "with run: say what would be done, and change nothing" },
      limit: { value: "N", summary: "with runs: runs shown (20)" },
    },
    examples: ["jeeves job run quarantine_retention --dry-run", "jeeves job runs sweep --limit 5"],
    load: () => import("../commands/job.ts"),
  },
  {
    name: "audit",
    summary: "the nightly audits: list them, see one, see what is different from the one before",
    operands: "ls | show [DAY] | diff [DAY] [FLAGS]",
    details: `Needs a key with the scope operator. Without DAY the latest one. Code 1 says that something is wrong, or alarming: docs/audit.md has what is
checked, and which changes are expected. "jeeves job run audit" makes one now.`,
    options: { ...CONNECTION_OPTIONS, limit: { value: "N", summary: "with ls: days shown (30)" } },
    examples: ["jeeves audit diff", "jeeves audit show 2026-11-25 --json"],
    load: () => import("../commands/audit.ts"),
  },
  {
    name: "restore",
    summary: "restores a backup from the bucket into empty databases",
    operands: "[--at UTC|latest] [FLAGS]",
    details: `Needs a key with the scope operator, and databases that are migrated and hold nothing of the backup's tenants. Goes on until all is there, names each
object that could not be read, and lets the sweeper bring what came after the backup. docs/backup.md has it step by step. Code 1: refused, or not whole.`,
    options: {
      ...CONNECTION_OPTIONS,
      at: { value: "UTC", summary: "the newest backup that began then or before (latest)" },
      "dry-run": { summary: "look at the backup and the databases, and change nothing" },
    },
    examples: ["jeeves restore --dry-run", "jeeves restore --at 2026-11-25T02:00:00Z"],
    load: () => import("../commands/restore.ts"),
  },
  {
    name: "model",
    summary: "embedding models: register one, fill it, compare it, make it the active one, and back",
    operands: "ls | register | status [MODEL] | compare MODEL | promote MODEL | rollback | retire MODEL [FLAGS]",
    details: `MODEL is a number, or the beginning of a fingerprint or name. Needs a key with the scope operator. What lacks vectors of a registered model is embedded by
the job reembed: by its schedule, or now with "jeeves job run reembed". docs/models.md goes through a whole change.`,
    options: {
      ...CONNECTION_OPTIONS,
      next: { summary: "with register: the model of EMBED_ENDPOINT_NEXT" },
      activate: { summary: "with register: make it the active one if there is none" },
      price: { value: "P", summary: "with status: price of a million tokens, for the costs" },
      tenant: { value: "T", summary: "with compare: whose memory is asked" },
      user: { value: "U", summary: "with compare: also this user's memory" },
      queries: { value: "FILE", summary: "with compare: a query a line; without it titles and texts are drawn" },
      draw: { value: "N", summary: "with compare: queries drawn (50)" },
      k: { value: "N", summary: "with compare: documents compared (10)" },
      force: { summary: "with promote and rollback: although documents lack vectors of the model" },
    },
    examples: ["jeeves model register --next", "jeeves model compare 2 --tenant acme", "jeeves model promote 2"],
    load: () => import("../commands/model.ts"),
  },
  {
    name: "search",
    summary: "searches the memory",
    operands: "QUERY… [FLAGS]",
    options: {
      ...CONNECTION_OPTIONS,
      k: { value: "N", summary: "hits (5)" },
      user: { value: "U", summary: "also this user's memory" },
      tier: { value: "TIER", summary: "only this tier", isMultiple: true },
      source: { value: "NAME", summary: "only this source", isMultiple: true },
      mode: { value: "MODE", summary: "hybrid, vector or lexical (hybrid)" },
      fusion: { value: "F", summary: "convex or rrf (convex)" },
    },
    examples: ["jeeves search landing a man on the moon --k 3"],
    load: () => import("../commands/search.ts"),
  },
  {
    name: "bridge",
    summary: "takes messages of a Redis stream and of Redis channels into the ingest API",
    operands: "redis --stream KEY|--channel NAME [FLAGS]",
    details: `Runs until SIGTERM or Ctrl-C, then finishes what is in flight. Entries of a stream are delivered at least once and have one effect each; they are
acknowledged after the API has made them durable. Messages of a channel are delivered at most once: Redis keeps none.
Several bridges on one group share its entries. docs/bridge.md has the message format and what is promised.`,
    options: {
      ...CONNECTION_OPTIONS,
      redis: {
        value: "URL",
        summary: "redis:// or rediss:// (REDIS_URL; a flag is seen by other users of this machine)",
      },
      stream: { value: "KEY", summary: "a stream; its group is made where there is none" },
      group: { value: "NAME", summary: "consumer group (jeeves)" },
      consumer: {
        value: "NAME",
        summary: "name inside the group, of one process at a time (made of host, process and chance)",
      },
      channel: { value: "NAME", summary: "a channel", isMultiple: true },
      "dead-letters": {
        value: "KEY",
        summary: "stream for messages that cannot be taken (KEY:dead, or NAME:dead of the channel)",
      },
      "dead-letters-max": { value: "N", summary: "dead letters kept, about (10000)" },
      "request-documents": { value: "N", summary: "documents of one request (100)" },
      "linger-ms": { value: "N", summary: "how long a first message waits for others (20)" },
      "in-flight": { value: "N", summary: "requests at a time (4)" },
      "message-bytes": { value: "N", summary: "largest message that is taken (4194304)" },
      "claim-seconds": {
        value: "N",
        summary: "entries that a consumer left unacknowledged for so long are taken over (60)",
      },
      "drain-seconds": { value: "N", summary: "after SIGTERM: how long Redis and the API are waited for (20)" },
      "health-seconds": { value: "N", summary: "distance of health lines (60)" },
      "delete-acked": { summary: "deletes acknowledged entries: for a stream that this group alone reads" },
    },
    examples: ["REDIS_URL=redis://… JEEVES_URL=https://… JEEVES_KEY=jvk_… jeeves bridge redis --stream embed --json"],
    load: () => import("../commands/bridge.ts"),
  },
];
