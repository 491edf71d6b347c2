import type { PiiSpan } from "../../contract/pii.ts";
import type { Detector } from "../detector.ts";
import { matchesOf } from "../match-spans.ts";

/** Nouns that end the name of an occupation; the groups follow the Standard Occupational Classification of the United States. */
const HEADS =
  "accountant|administrator|adviser|advisor|agent|aide|analyst|architect|artist|assembler|assistant|associate|attendant|attorney|auditor|baker|barber|bartender|builder|butcher|buyer|carpenter|cashier|chef|chemist|clerk|cleaner|coach|collector|conductor|consultant|controller|cook|coordinator|counselor|courier|dancer|dealer|dentist|designer|developer|director|dispatcher|doctor|driver|economist|editor|educator|electrician|engineer|estimator|examiner|executive|farmer|fighter|fitter|firefighter|geologist|guard|guide|hairdresser|handler|helper|hygienist|illustrator|inspector|installer|instructor|interpreter|interviewer|investigator|janitor|journalist|judge|keeper|laborer|lawyer|lecturer|librarian|lineman|machinist|maid|maker|manager|mason|mechanic|merchandiser|midwife|miner|model|musician|nurse|nutritionist|officer|operator|optician|orderly|painter|paralegal|paramedic|pharmacist|photographer|physician|physicist|pilot|planner|plumber|porter|principal|processor|producer|professor|programmer|psychologist|receptionist|recruiter|repairer|reporter|representative|researcher|roofer|sailor|salesperson|scientist|seaman|secretary|server|setter|singer|soldier|sociologist|specialist|statistician|steward|superintendent|supervisor|surgeon|surveyor|tailor|teacher|technician|technologist|teller|tender|therapist|trainer|translator|typist|underwriter|usher|veterinarian|waiter|waitress|welder|worker|writer";
const OCCUPATION = `(?:[\\p{L}][\\p{L}'’-]{0,20},? ){0,5}(?:(?:${HEADS})|[\\p{L}-]{4,20}(?:ologist|ographer|ician|therapist|iatrist))s?`;

/** A line that is nothing but an occupation, under a name. Flags d, g, i, m and u. */
const OWN_LINE = new RegExp(`^[\\t >?]{0,6}(${OCCUPATION})[\\t ]{0,4}$`, "dgimu");
/** "as a nurse", "works as X-ray technician". */
const AS = new RegExp(
  `\\b(?:as|i'?m|i am|s?he is|job(?: title)?:?|position:?|occupation:?) (?:an? |the )?(${OCCUPATION})(?=[.,;!?\\n]|$| at | for | in | but )`,
  "dgiu",
);

/** Occupations on a line of their own or after "as a …". */
export const jobTitleDetector: Detector = {
  name: "job-title",
  types: ["TITLE"],
  mayFind: (text) => text.includes("\n") || /\b(?:as|am|i'm|is|job|position|occupation)\b/i.test(text),
  find(text) {
    const spans: PiiSpan[] = [];
    for (const pattern of [OWN_LINE, AS]) {
      for (const match of matchesOf(text, pattern)) {
        const range = match.indices?.[1];
        if (range !== undefined)
          spans.push({ type: "TITLE", start: range[0], end: range[1], score: 0.7, detector: "job-title" });
      }
    }
    return spans;
  },
};
