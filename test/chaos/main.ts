/**
 * A campaign of faults against the whole running system, and the recount of what it promised.
 * `node test/chaos/main.ts [--seed N] [--kills N] [--plant ack|ledger|wal] [--report FILE.json] [--system-log FILE]`
 */
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { Campaign } from "./campaign.ts";
import { PLANTS } from "./plant.ts";
import { isSound, reportText } from "./report.ts";

/** A campaign of a night, not of a week: it holds every promise in memory. */
const KILLS_MAX = 2_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    kills: { type: "string", default: "50" },
    plant: { type: "string" },
    report: { type: "string" },
    "system-log": { type: "string" },
  },
});
const seed = z.coerce.number().int().min(0).max(1_000_000).parse(values.seed);
const kills = z.coerce.number().int().min(1).max(KILLS_MAX).parse(values.kills);
const planted = z.enum(PLANTS).optional().parse(values.plant);

const startedAtMs = Date.now();
const log = (line: string): void =>
  console.log(`${String(Math.round((Date.now() - startedAtMs) / 1000)).padStart(5)} s  ${line}`);
const file = values["system-log"] === undefined ? undefined : createWriteStream(values["system-log"]);
const systemLog = (line: string): void => void file?.write(`${line}\n`);

const campaign = await Campaign.open({ seed, kills, plant: planted, log, systemLog });
try {
  log(`the system runs at ${campaign.system.url}`);
  const report = await campaign.run();
  if (values.report !== undefined) await writeFile(values.report, `${JSON.stringify(report, null, 2)}\n`);
  console.log(reportText(report));
  process.exitCode = isSound(report) ? 0 : 1;
} finally {
  await campaign.close();
  file?.end();
}
