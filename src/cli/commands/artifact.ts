import { z } from "zod";
import { diffPacks } from "../../lib/artifact/diff-packs.ts";
import { verifyPack } from "../../lib/artifact/verify-pack.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { artifactSchema, downloadArtifact } from "../artifact/download-artifact.ts";
import { openPackFile, packErrorText } from "../artifact/open-pack-file.ts";
import { chosenRecords, recordLine } from "../artifact/print-records.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { style } from "../terminal/style.ts";

const ACTIONS = ["ls", "get", "cat", "verify", "diff"] as const;
const PAGE_ROWS_MAX = 500;
const pageSchema = z.looseObject({ artifacts: z.array(artifactSchema) });

/** `jeeves artifact ls | get ID | cat FILE | verify FILE… | diff BEFORE AFTER`. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [name = "", ...operands] = args.positionals;
  const action = ACTIONS.find((candidate) => candidate === name);
  switch (action) {
    case "ls":
      return list(args);
    case "get":
      return get(args, operands);
    case "cat":
      return cat(args, operands);
    case "verify":
      return verify(args, operands);
    case "diff":
      return diff(args, operands);
    case undefined:
      throw usageError(`artifact takes one of ${ACTIONS.join(", ")}, not "${name}"`);
  }
}

async function list(args: CommandArguments): Promise<ExitCode> {
  const limit = args.integer("limit", { min: 1, max: PAGE_ROWS_MAX }) ?? PAGE_ROWS_MAX;
  const query = new URLSearchParams({ limit: String(limit) });
  for (const name of ["kind", "after"]) {
    const value = args.text(name);
    if (value !== undefined) query.set(name, value);
  }
  const { api } = await requireConnection(args);
  const { artifacts } = await api.json(pageSchema, { path: `/v1/artifacts?${query.toString()}` });
  for (const artifact of artifacts) {
    const { artifact_id: id, kind, size_bytes: size, created_at: createdAt } = artifact;
    console.log(
      args.flag("json") ? JSON.stringify(artifact) : `${style.bold(id)}  ${kind}  ${size} bytes  ${createdAt}`,
    );
  }
  return EXIT.ok;
}

async function get(args: CommandArguments, [id, ...more]: readonly string[]): Promise<ExitCode> {
  if (id === undefined || more.length > 0) throw usageError("artifact get takes one id");
  const { api } = await requireConnection(args);
  const artifact = await api.json(artifactSchema, { path: `/v1/artifacts/${encodeURIComponent(id)}` });
  const path = args.text("out") ?? id.replaceAll(/[^\w.-]/g, "_");
  await downloadArtifact(api, artifact, path);
  console.log(`${path}: ${artifact.size_bytes} bytes, SHA-256 ${artifact.sha256}`);
  return EXIT.ok;
}

async function cat(args: CommandArguments, paths: readonly string[]): Promise<ExitCode> {
  if (paths.length === 0) throw usageError("artifact cat takes a file");
  const choice = {
    position: args.integer("at", { min: 0, max: Number.MAX_SAFE_INTEGER }),
    documentId: args.text("id"),
    userId: args.text("user") ?? "",
  };
  for (const path of paths) {
    const { reader, close } = await openPackFile(path, args.texts("dictionary"));
    try {
      for await (const record of chosenRecords(reader, choice)) console.log(recordLine(record, args.flag("vectors")));
    } finally {
      await close();
    }
  }
  return EXIT.ok;
}

async function verify(args: CommandArguments, paths: readonly string[]): Promise<ExitCode> {
  if (paths.length === 0) throw usageError("artifact verify takes a file");
  let isSound = true;
  for (const path of paths) {
    try {
      const { reader, source, close } = await openPackFile(path, args.texts("dictionary"));
      const verdict = await verifyPack(reader, source).finally(close);
      isSound &&= verdict.isSound;
      const state = verdict.isSound ? style.green("sound") : style.red(damageText(verdict));
      const { recordCount, chunkCount, vectorCount, blockCount } = verdict;
      const counts = `${recordCount} records, ${chunkCount} chunks, ${vectorCount} vectors in ${blockCount} blocks`;
      console.log(args.flag("json") ? JSON.stringify({ path, ...verdict }) : `${path}: ${state}, ${counts}`);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      isSound = false;
      console.log(args.flag("json") ? JSON.stringify({ path, isSound: false, error: error.message }) : error.message);
    }
  }
  return isSound ? EXIT.ok : EXIT.failed;
}

function damageText({
  damagedBlocks,
  isHeaderSound,
}: {
  readonly damagedBlocks: readonly number[];
  readonly isHeaderSound: boolean;
}): string {
  if (damagedBlocks.length > 0) return `damaged in block ${damagedBlocks.join(", ")}`;
  return isHeaderSound ? "damaged: its hash differs" : "damaged in its header";
}

async function diff(args: CommandArguments, [before, after, ...more]: readonly string[]): Promise<ExitCode> {
  if (before === undefined || after === undefined || more.length > 0) throw usageError("artifact diff takes two files");
  const former = await openPackFile(before, args.texts("dictionary"));
  const latter = await openPackFile(after, args.texts("dictionary"));
  try {
    const differences = await diffPacks(former.reader, latter.reader);
    if (!differences.ok) throw new CommandError(packErrorText(differences.error));
    for (const difference of differences.value) {
      const { change, userId, tier, documentId, fields } = difference;
      const sign = { added: style.green("+"), removed: style.red("-"), changed: style.yellow("~") }[change];
      const owner = userId === "" ? "" : ` (${userId})`;
      const text = `${sign} ${tier} ${documentId}${owner}${fields.length === 0 ? "" : `: ${fields.join(", ")}`}`;
      console.log(args.flag("json") ? JSON.stringify(difference) : text);
    }
    return differences.value.length === 0 ? EXIT.ok : EXIT.refused;
  } finally {
    await former.close();
    await latter.close();
  }
}
