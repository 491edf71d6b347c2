// Verdicts of the gate on a real mail corpus, folder by folder. `--json` prints what test/unit/gate/mail-corpus.golden.json holds.
//   node bench/gate/mail.ts [--json]
import { parseArgs } from "node:util";
import { judgeMailCorpus } from "./mail-corpus.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const startedMs = performance.now();
const folders = await judgeMailCorpus();
if (values.json) console.log(JSON.stringify(folders, null, 2));
else {
  for (const [folder, verdicts] of Object.entries(folders)) {
    const { messages, unreadable, accepted, quarantined, rejected, step, rules } = verdicts;
    const share = ((100 * accepted) / messages).toFixed(1);
    console.log(
      `${folder}: ${messages} messages, ${accepted} accepted (${share} %), ${quarantined} quarantined, ${rejected} rejected, step ${step}`,
    );
    for (const [code, messageCount] of Object.entries({ ...unreadable, ...rules }))
      console.log(`  ${code} ${messageCount}`);
  }
  console.log(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}
