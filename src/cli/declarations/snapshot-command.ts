import type { Command } from "../arguments/command.ts";
import { CONNECTION_OPTIONS } from "./remote-commands.ts";

export const SNAPSHOT_COMMAND: Command = {
  name: "snapshot",
  summary: "snapshots of the object store: list, show, compare, verify, download, restore",
  operands: "ls | show NAME | diff BEFORE LATER | verify NAME | mount NAME FOLDER | restore NAME [FLAGS]",
  details: `NAME is what ls prints, such as hourly/20261125T220000Z; hourly, daily or weekly alone is the newest of its kind. Needs a key with the scope operator.

diff says what the later one has more (+), less (-) and otherwise (~), and ends with exit code 3 when there is any. verify names what is not as it was; code 3 says
that something is missing. mount downloads the objects into a folder, read-only files under their keys: it is a copy, nothing follows it. It goes on where it was
interrupted. restore takes back the removal of objects that are still held; docs/snapshots.md says how the database follows.`,
  options: {
    ...CONNECTION_OPTIONS,
    only: { value: "PREFIX", summary: "with mount: only objects whose keys begin so" },
    "dry-run": { summary: "with restore: say what would come back, and change nothing" },
  },
  examples: [
    "jeeves snapshot diff daily/20261124T000000Z daily",
    "jeeves snapshot mount weekly ./last-week --only wal/acme/",
    "jeeves snapshot restore hourly/20261125T220000Z --dry-run",
  ],
  load: () => import("../commands/snapshot.ts"),
};
