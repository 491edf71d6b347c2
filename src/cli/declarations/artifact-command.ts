import type { Command } from "../arguments/command.ts";
import { CONNECTION_OPTIONS } from "./remote-commands.ts";

export const ARTIFACT_COMMAND: Command = {
  name: "artifact",
  summary: "registered objects and packs: list, download, read, verify, compare",
  operands: "ls | get ID | cat FILE… | verify FILE… | diff BEFORE AFTER [FLAGS]",
  details: `ls and get ask a service; an interrupted get goes on where it stopped, and what it wrote has the hash that is registered.

cat, verify and diff work on packs (.mpz) here, "-" is standard input. A pack's dictionary is looked for beside it as <id>.bin. cat prints a JSON
line a record; one record is read without the rest. diff says what the second file has more (+), less (-) and otherwise (~), and ends with
exit code 3 when there is any.`,
  options: {
    ...CONNECTION_OPTIONS,
    kind: { value: "KIND", summary: "with ls: pack, segment, backup, dictionary, report, snapshot or model" },
    after: { value: "ID", summary: "with ls: the page after this one" },
    limit: { value: "N", summary: "with ls: artifacts shown (500)" },
    out: { value: "FILE", summary: "with get: where it goes (the id)" },
    at: { value: "N", summary: "with cat: the record at this place, from 0" },
    id: { value: "ID", summary: "with cat: the document of this id" },
    user: { value: "U", summary: "with cat --id: whose document (shared ones)" },
    vectors: { summary: "with cat: print vectors too" },
    dictionary: { value: "FILE", summary: "a dictionary that a pack may need", isMultiple: true },
  },
  examples: ["jeeves artifact get pack-01 --out pack.mpz", "jeeves artifact cat pack.mpz --id talk-1/7 --user ada"],
  load: () => import("../commands/artifact.ts"),
};
