import { z } from "zod";
import { type RescanReply, rescanReplySchema } from "../../lib/contract/pii-rescan.ts";
import type { PiiCounts } from "../../lib/contract/wal-record.ts";
import { sumCounts } from "../../lib/flows/judging/redact-metadata.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { countText, plural } from "../report/number-text.ts";
import { Interruption } from "../terminal/interruption.ts";
import { ProgressBar } from "../terminal/progress-bar.ts";
import { style } from "../terminal/style.ts";

/** Documents of one request: each is read from R2, and a request should end within seconds. */
const PAGE = { default: 100, min: 1, max: 200 };

/** What a rescan has come to. */
interface Tally {
  readonly scanned: number;
  readonly unchanged: number;
  readonly redacted: number;
  readonly numbered: number;
  readonly failed: number;
  readonly counts: PiiCounts;
}

interface Rescan {
  readonly api: ApiClient;
  readonly after: string | null;
  readonly pageSize: number;
  readonly isDryRun: boolean;
}

/** `jeeves pii rescan`: newer rules for stored documents, one page a request. Exit code 1 when a document could not be read or sent. */
export async function rescan(args: CommandArguments): Promise<ExitCode> {
  const after = args.text("after") ?? null;
  if (after !== null && !z.uuid().safeParse(after).success)
    throw usageError("--after takes the id that a rescan named");
  const pageSize = args.integer("page", PAGE) ?? PAGE.default;
  const { api } = await requireConnection(args);
  const isDryRun = args.flag("dry-run");
  const { tally, rulesVersion } = await rescanAll({ api, after, pageSize, isDryRun });
  if (args.flag("json")) console.log(JSON.stringify(resultOf(tally, { rulesVersion, isDryRun })));
  else printTally(tally, { rulesVersion, isDryRun });
  return tally.failed > 0 ? EXIT.failed : EXIT.ok;
}

/** Every page, until none is left. Ends with code 130 between two pages at Ctrl-C, and says where to go on. */
async function rescanAll(options: Rescan): Promise<{ tally: Tally; rulesVersion: string }> {
  const interruption = new Interruption();
  const bar = new ProgressBar(process.stderr);
  const startedAtMs = performance.now();
  let tally: Tally = { scanned: 0, unchanged: 0, redacted: 0, numbered: 0, failed: 0, counts: {} };
  let total: number | undefined;
  let { after } = options;
  try {
    for (;;) {
      const page = await askPage(options, { after, isFirst: total === undefined });
      total = Math.max(total ?? page.total_count ?? 0, tally.scanned + page.scanned_count);
      tally = added(tally, page);
      const seconds = (performance.now() - startedAtMs) / 1000;
      const note = `${countText(tally.redacted)} ${options.isDryRun ? "to redact" : "redacted"}`;
      bar.update({ done: tally.scanned, total, ...paceOf(tally.scanned, { total, seconds }), note }, performance.now());
      if (page.next === null) return { tally, rulesVersion: page.rules_version };
      after = page.next;
      if (interruption.isAsked)
        throw new CommandError(
          `stopped after ${plural(tally.scanned, "document")}; go on with --after ${after}`,
          EXIT.interrupted,
        );
    }
  } finally {
    bar.finish();
    interruption.end();
  }
}

function askPage(
  { api, pageSize, isDryRun }: Rescan,
  { after, isFirst }: { readonly after: string | null; readonly isFirst: boolean },
): Promise<RescanReply> {
  return api.json(rescanReplySchema, {
    method: "POST",
    path: "/v1/admin/pii/rescan",
    json: { after, limit: pageSize, dry_run: isDryRun, with_total: isFirst },
  });
}

function paceOf(
  done: number,
  { total, seconds }: { readonly total: number; readonly seconds: number },
): { readonly ratePerSecond: number | null; readonly etaSeconds: number | null } {
  if (done === 0 || seconds === 0) return { ratePerSecond: null, etaSeconds: null };
  return { ratePerSecond: done / seconds, etaSeconds: ((total - done) / done) * seconds };
}

function added(tally: Tally, page: RescanReply): Tally {
  return {
    scanned: tally.scanned + page.scanned_count,
    unchanged: tally.unchanged + page.unchanged_count,
    redacted: tally.redacted + page.redacted_count,
    numbered: tally.numbered + page.numbered_count,
    failed: tally.failed + page.failed_count,
    counts: sumCounts(tally.counts, page.pii_counts),
  };
}

interface Run {
  readonly rulesVersion: string;
  readonly isDryRun: boolean;
}

function resultOf(tally: Tally, { rulesVersion, isDryRun }: Run): unknown {
  return {
    dry_run: isDryRun,
    rules_version: rulesVersion,
    scanned_count: tally.scanned,
    unchanged_count: tally.unchanged,
    redacted_count: tally.redacted,
    numbered_count: tally.numbered,
    failed_count: tally.failed,
    pii_counts: tally.counts,
  };
}

function printTally(tally: Tally, { rulesVersion, isDryRun }: Run): void {
  console.log(
    `${style.bold(plural(tally.scanned, "document"))} that older rules saw, by rules ${rulesVersion}: ` +
      `${countText(tally.unchanged)} unchanged, ${style.yellow(`${countText(tally.redacted)} ${isDryRun ? "to redact" : "redacted"}`)}` +
      (tally.failed === 0 ? "" : `, ${style.red(`${countText(tally.failed)} could not be read or sent`)}`),
  );
  for (const [type, count] of Object.entries(tally.counts)) console.log(style.dim(`  ${type}: ${countText(count)}`));
  if (tally.numbered > 0)
    console.log(
      style.yellow(`  ${countText(tally.numbered)} with numbered placeholders: sealed ones would be too large`),
    );
  if (isDryRun) console.log("  nothing was changed");
  else if (tally.redacted > 0) console.log("  redacted ones are embedded anew in the background");
}
