/**
 * The bytes of sealed conversations: segment codec against JSON lines in workerd, and a segment of 64 MB through the production Worker.
 * `node bench/segment/main.ts [--texts PATH] [--rounds N] [--documents EVENTS]`
 */
import { finishBench, readBenchArguments } from "../support/bench-arguments.ts";
import type { Figure } from "../support/figure.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { median } from "../support/statistics.ts";
import { sentencesOf } from "../sessions/sentences.ts";
import { measureCodecs, type CodecRun } from "./codec-rates.ts";
import { sealLarge } from "./seal-large.ts";
import { uploadBare } from "./upload-bare.ts";

const MIB = 1024 * 1024;
const MEMORY_MIB_MAX = 100;
/** Sentences of an event of the large segment: 15 to 20 KB, a pasted page; thousands of small ones would measure the gate. */
const SENTENCES_PER_EVENT = 130;
/** Steps through the sentences that share no factor with their number make every event another. */
const STEP = 7;

const options = readBenchArguments({ rounds: 7, documents: 10_000 });
const sentences = sentencesOf(await readBenchTexts(options.textsPath, 1_000));
const lines = Array.from({ length: options.documentsMax }, (_, index) =>
  JSON.stringify({
    seq: index + 1,
    at_ms: 1_790_000_000_000 + index,
    role: index % 2 === 0 ? "user" : "assistant",
    speaker: "Ann",
    text: sentences[index % sentences.length] ?? "",
    metadata: { session_id: "talk", seq: index + 1, role: "user", speaker: "Ann" },
  }),
).join("\n");

const { sizes, eventsPerSecond } = await measureCodecs(lines, options.rounds);
const sealed = await sealLarge(largeText);
const bare = await uploadBare();
const [sealedMib, bareMib] = [sealed.peakMib - sealed.idleMib, bare.peakMib - bare.idleMib];
const figure = (what: "encode" | "decode"): Figure => ({
  name: `segment ${what} in workerd`,
  unit: "events/s",
  ours: { name: "segment", samples: [...eventsPerSecond[`${what}-segment`]] },
  opponent: { name: "JSON lines", samples: [...eventsPerSecond[`${what}-json`]] },
});
finishBench(
  {
    bench: "segment",
    figures: [
      figure("encode"),
      figure("decode"),
      {
        name: "sealing a segment of 64 MB, memory of workerd above idle",
        unit: "MiB",
        ours: { name: "Worker and local R2", samples: [sealedMib] },
        opponent: { name: "bare upload, local R2", samples: [bareMib] },
        isCost: true,
      },
      {
        name: "the same without what the bare upload needs",
        unit: "MiB",
        ours: { name: "Worker", samples: [sealedMib - bareMib] },
        target: MEMORY_MIB_MAX,
        isCost: true,
      },
    ],
    skipped: [],
    details: [
      `${sizes.events} events: ${mib(sizes.segmentBytes)} MiB as a segment, ${mib(sizes.jsonBytes)} MiB as JSON lines`,
      `MB/s of its own bytes: encode segment ${rate("encode-segment")}, JSON ${rate("encode-json")}; ` +
        `decode segment ${rate("decode-segment")}, JSON ${rate("decode-json")}`,
      "decoding checks every field on both sides; the segment's also the CRC of each record",
      `sealed ${sealed.eventCount} events, ${mib(sealed.sizeBytes)} MiB, in ${sealed.seconds.toFixed(1)} s; ` +
        `workerd ${sealed.idleMib.toFixed(0)} MiB idle, ${sealed.peakMib.toFixed(0)} MiB at its peak`,
      "local R2 runs inside the same workerd, and nothing there bounds an isolate: a Worker that uploads 64 MB and does nothing else is the floor",
    ],
  },
  options,
);

function largeText(index: number): string {
  const start =
    index * SENTENCES_PER_EVENT * STEP + Math.floor((index * SENTENCES_PER_EVENT * STEP) / sentences.length);
  const picked = Array.from(
    { length: SENTENCES_PER_EVENT },
    (_, n) => sentences[(start + n * STEP) % sentences.length],
  );
  return `${index}. ${picked.join(" ")}`;
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}

function rate(run: CodecRun): string {
  const bytes = run.endsWith("segment") ? sizes.segmentBytes : sizes.jsonBytes;
  return ((median(eventsPerSecond[run]) * bytes) / sizes.events / 1e6).toFixed(0);
}
