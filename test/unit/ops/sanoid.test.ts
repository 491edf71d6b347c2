import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kindsDue, snapshotIdAt } from "../../../src/lib/flows/snapshots/snapshot-policy.ts";
import { SNAPSHOTS_KEPT } from "../../../src/lib/flows/snapshots/snapshot-keys.ts";

const FOLDER = new URL("../../../ops/zfs/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");

type Section = ReadonlyMap<string, string>;

/** Sections of a configuration of sanoid: names in brackets, `key = value`, comments by "#". Anything else is an error, as it is for sanoid. */
function parseConfiguration(text: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const name = /^\[([\w/.-]+)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      if (sections.has(name)) throw new Error(`[${name}] stands there twice`);
      section = new Map();
      sections.set(name, section);
      continue;
    }
    const [, key, value] = /^([a-z_]+) = (\S+)$/.exec(line) ?? [];
    if (section === undefined || key === undefined || value === undefined || section.has(key))
      throw new Error(`no setting: ${line}`);
    section.set(key, value);
  }
  return sections;
}

/** A dataset's settings with those of its template. */
function settingsOf(file: string, dataset: string): Section {
  const sections = parseConfiguration(read(file));
  const own = sections.get(dataset);
  const template = sections.get(`template_${own?.get("use_template")}`);
  if (own === undefined || template === undefined) throw new Error(`${dataset} has no template`);
  return new Map([...template, ...own]);
}

const counts = (settings: Section): unknown =>
  Object.fromEntries(
    ["frequently", "hourly", "daily", "weekly", "monthly", "yearly"].map((kind) => [kind, Number(settings.get(kind))]),
  );
const POLICY = { frequently: 0, ...SNAPSHOTS_KEPT, monthly: 0, yearly: 0 };

describe("the policy for ZFS", () => {
  const source = settingsOf("sanoid.conf", "tank/jeeves");
  const replica = settingsOf("sanoid.replica.conf", "backup/jeeves");

  it("keeps as many of each kind as the job, on the source and on the replica", () => {
    expect(counts(source)).toEqual(POLICY);
    expect(counts(replica)).toEqual(POLICY);
  });

  it("snapshots Postgres and the objects at once, and the replica takes none of its own", () => {
    expect(source.get("recursive")).toBe("zfs");
    expect([source.get("autosnap"), source.get("autoprune")]).toEqual(["yes", "yes"]);
    expect([replica.get("autosnap"), replica.get("autoprune")]).toEqual(["no", "yes"]);
  });

  it("begins days and weeks when the job does", () => {
    const [hour, minute] = [Number(source.get("daily_hour")), Number(source.get("daily_min"))];
    // sanoid counts weekdays from Monday, 1; the first of these days is one.
    const monday = Date.UTC(2026, 0, 5 + Number(source.get("weekly_wday")) - 1, hour, minute);
    const present = (["hourly", "daily", "weekly"] as const).map((kind) => ({ kind, id: snapshotIdAt(monday - 1) }));
    expect(kindsDue(monday - 1, present)).toEqual([]);
    expect(kindsDue(monday, present)).toEqual(["hourly", "daily", "weekly"]);
    expect([source.get("weekly_hour"), source.get("weekly_min")]).toEqual(["0", "0"]);
  });

  it("replicates the dataset that is snapshotted, after its hour, to the dataset that the replica prunes", () => {
    const service = read("jeeves-syncoid.service");
    expect(service).toMatch(/^ExecStart=\/usr\/sbin\/syncoid .*--no-sync-snap .* tank\/jeeves \$\{TARGET\}$/m);
    expect(/^Environment=TARGET=\S+:(\S+)$/m.exec(service)?.[1]).toBe("backup/jeeves");
    expect(read("jeeves-syncoid.timer")).toMatch(/^OnCalendar=\*:20$/m);
  });

  it("is refused where a number differs, or a line is none", () => {
    const changed = read("sanoid.conf").replace("hourly = 24", "hourly = 25");
    expect(parseConfiguration(changed).get("template_jeeves")?.get("hourly")).not.toBe(String(SNAPSHOTS_KEPT.hourly));
    expect(() => parseConfiguration("[a]\nhourly 24")).toThrow("no setting");
  });
});
