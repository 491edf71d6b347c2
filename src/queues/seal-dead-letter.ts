import type { SealMessage } from "../lib/contract/queue-message.ts";
import type { DeadLetterRow } from "../lib/db/queries/dead-letters.ts";
import { segmentArtifactId } from "../lib/session/segment-artifact.ts";

interface GivenUp {
  readonly body: SealMessage;
  readonly code: string;
  readonly attempts: number;
}

/** The row of a segment that was given up, once for each reason. The hash names the segment; its key names a user and stays out. */
export function sealDeadLetter({ body, code, attempts }: GivenUp): DeadLetterRow {
  return {
    deadLetterId: `${segmentArtifactId(body.sha256)}-${code}`,
    queue: "seal",
    code,
    walKey: null,
    walId: null,
    rangeIndex: null,
    documentIndex: null,
    chunkIndex: null,
    attempts,
  };
}
