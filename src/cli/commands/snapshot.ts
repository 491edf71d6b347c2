import type { SnapshotChange, SnapshotCheck, SnapshotManifest } from "../../lib/contract/snapshot.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { mountSnapshot } from "../snapshot/mount-snapshot.ts";
import { changesOf, checksOf, listSnapshots, nameOf, objectsOf, openSnapshot } from "../snapshot/snapshot-source.ts";
import { changeText, checkText, listText, manifestText } from "../snapshot/snapshot-text.ts";
import { ProgressBar } from "../terminal/progress-bar.ts";
import { style } from "../terminal/style.ts";

const ACTIONS = ["ls", "show", "diff", "verify", "mount", "restore"] as const;
type Action = (typeof ACTIONS)[number];
const OPERANDS: Readonly<Record<Action, number>> = { ls: 0, show: 1, diff: 2, verify: 1, mount: 2, restore: 1 };

/** `jeeves snapshot ls | show NAME | diff BEFORE LATER | verify NAME | mount NAME FOLDER | restore NAME`. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [name = "", ...operands] = args.positionals;
  const action = ACTIONS.find((candidate) => candidate === name);
  if (action === undefined) throw usageError(`snapshot takes one of ${ACTIONS.join(", ")}, not "${name}"`);
  if (operands.length !== OPERANDS[action]) throw usageError(`snapshot ${action} takes ${OPERANDS[action]} operands`);
  const { api } = await requireConnection(args);
  if (action === "ls") return list(args, api);
  const [first = "", second = ""] = operands;
  const snapshot = await openSnapshot(api, first);
  switch (action) {
    case "show":
      return show(args, api, snapshot);
    case "diff":
      return diff(args, api, [snapshot, await openSnapshot(api, second)]);
    case "verify":
      return check(args, api, snapshot);
    case "mount":
      return mount(args, api, { snapshot, folder: second });
    case "restore":
      return check(args, api, snapshot, { isDryRun: args.flag("dry-run") });
  }
}

async function list(args: CommandArguments, api: ApiClient): Promise<ExitCode> {
  const listed = await listSnapshots(api);
  if (args.flag("json")) console.log(JSON.stringify(listed));
  else console.log(listText(listed));
  return EXIT.ok;
}

async function show(args: CommandArguments, api: ApiClient, snapshot: SnapshotManifest): Promise<ExitCode> {
  if (!args.flag("json")) console.log(manifestText(snapshot));
  for await (const objects of objectsOf(api, snapshot)) {
    for (const object of objects)
      console.log(args.flag("json") ? JSON.stringify(object) : `${object.key}  ${object.size_bytes} bytes`);
  }
  return EXIT.ok;
}

async function diff(
  args: CommandArguments,
  api: ApiClient,
  [before, later]: readonly [SnapshotManifest, SnapshotManifest],
): Promise<ExitCode> {
  const counts: Record<SnapshotChange["change"], number> = { added: 0, removed: 0, changed: 0 };
  for await (const changes of changesOf(api, before, later)) {
    for (const change of changes) {
      counts[change.change] += 1;
      console.log(args.flag("json") ? JSON.stringify(change) : changeText(change));
    }
  }
  if (!args.flag("json"))
    console.log(
      `${nameOf(before)} → ${nameOf(later)}: ${counts.added} added, ${counts.removed} removed, ${counts.changed} changed`,
    );
  return counts.added + counts.removed + counts.changed === 0 ? EXIT.ok : EXIT.refused;
}

/** Holds a snapshot against the store; with `restore`, takes back what was removed. */
async function check(
  args: CommandArguments,
  api: ApiClient,
  snapshot: SnapshotManifest,
  restore?: { readonly isDryRun: boolean },
): Promise<ExitCode> {
  const total = { present: 0, changed: 0, erased: 0, missing: 0, held: 0 };
  for await (const part of checksOf(api, snapshot, restore)) {
    for (const name of ["present", "changed", "erased", "missing", "held"] as const) total[name] += part[name];
    for (const named of part.named) console.log(args.flag("json") ? JSON.stringify(named) : namedText(named));
  }
  const action = restore === undefined ? "verify" : restore.isDryRun ? "would restore" : "restore";
  if (args.flag("json")) console.log(JSON.stringify({ snapshot: nameOf(snapshot), action, ...total }));
  else console.log(checkText(snapshot, { total, action }));
  return total.missing === 0 ? EXIT.ok : EXIT.refused;
}

function namedText({ key, state }: SnapshotCheck["named"][number]): string {
  const colour = { changed: style.yellow, erased: style.dim, missing: style.red }[state];
  return `${colour(state)}  ${key}`;
}

async function mount(
  args: CommandArguments,
  api: ApiClient,
  { snapshot, folder }: { readonly snapshot: SnapshotManifest; readonly folder: string },
): Promise<ExitCode> {
  const bar = new ProgressBar(process.stderr);
  const startedMs = Date.now();
  const { gone, ...counts } = await mountSnapshot(api, snapshot, {
    folder,
    only: args.text("only") ?? "",
    onProgress: ({ doneCount, totalCount, sizeBytes }) => {
      const ratePerSecond = doneCount / Math.max(0.001, (Date.now() - startedMs) / 1000);
      const etaSeconds = (totalCount - doneCount) / Math.max(0.001, ratePerSecond);
      bar.update(
        { done: doneCount, total: totalCount, ratePerSecond, etaSeconds, note: `${sizeBytes} bytes` },
        Date.now(),
      );
    },
  });
  bar.finish();
  for (const object of gone) console.log(args.flag("json") ? JSON.stringify(object) : `${object.code}  ${object.key}`);
  if (args.flag("json")) console.log(JSON.stringify({ folder, ...counts, gone_count: gone.length }));
  else
    console.log(
      `${folder}: ${counts.downloadedCount} downloaded, ${counts.presentCount} were there, ${gone.length} are not as ${nameOf(snapshot)} names them`,
    );
  return gone.length === 0 ? EXIT.ok : EXIT.refused;
}
