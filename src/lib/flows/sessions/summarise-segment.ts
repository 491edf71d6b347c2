import { err, ok, type Result } from "../../base/result.ts";
import type { SealMessage } from "../../contract/queue-message.ts";
import type { EmbedTextsError } from "../../embed/embed-texts.ts";
import { embedTexts } from "../../embed/embed-texts.ts";
import { segmentArtifactId } from "../../session/segment-artifact.ts";
import { describeSegment, segmentTitle } from "../../summarise/describe-segment.ts";
import { spokenText } from "../../summarise/spoken-sentence.ts";
import { rollUp, summariseSentences, type SummarySentence, summaryText } from "../../summarise/summarise-sentences.ts";
import { addedTerms, distinctiveTerms, NO_TERMS, type TermCounts } from "../../summarise/term-counts.ts";
import type { ModelError, ModelInUse } from "../models/model-source.ts";
import type { SealContext } from "./context.ts";
import type { SegmentDigest } from "./segment-digest.ts";
import { loadedSentence, type Sidecar, type StoredSummary, storedSentence } from "./sidecar.ts";

export type SummariseError = ModelError | EmbedTextsError;

/** Words that the description names, and words whose counts the next segment gets. */
const DISTINCTIVE_TERMS_MAX = 10;
const CARRIED_TERMS_MAX = 500;
/** Characters of a summary by an endpoint. */
const ENDPOINT_CHARACTERS = { segment: 1_200, session: 2_400 } as const;

/** What a segment's sidecar says, from its frames and from what is known of the session before it. */
export async function summariseSegment(
  context: SealContext,
  {
    message,
    digest,
    before,
  }: { readonly message: SealMessage; readonly digest: SegmentDigest; readonly before: Sidecar | undefined },
): Promise<Result<Sidecar, SummariseError>> {
  const model = await context.models.active();
  if (!model.ok) return model;
  const embedded = await withVectors(context, model.value, digest.candidates());
  if (!embedded.ok) return embedded;
  const sentences = summariseSentences(embedded.value);
  const earlier = await earlierSentences(context, model.value, before);
  if (!earlier.ok) return earlier;
  const segment = await summaryOf(context, sentences, {
    lines: spokenText(digest.candidates()),
    charactersMax: ENDPOINT_CHARACTERS.segment,
  });
  const whole = rollUp(earlier.value, sentences);
  const session =
    before === undefined
      ? { ...segment, sentences: whole.map(storedSentence) }
      : await summaryOf(context, whole, {
          lines: `${before.session.summary.text}\n${segment.text}`,
          charactersMax: ENDPOINT_CHARACTERS.session,
        });
  return ok(
    sidecarFrom({ message, digest, before, sentences, segment, session, fingerprint: model.value.fingerprint }),
  );
}

interface Parts {
  readonly message: SealMessage;
  readonly digest: SegmentDigest;
  readonly before: Sidecar | undefined;
  readonly sentences: readonly SummarySentence[];
  readonly segment: StoredSummary;
  readonly session: StoredSummary;
  readonly fingerprint: string;
}

function sidecarFrom({ message, digest, before, sentences, segment, session, fingerprint }: Parts): Sidecar {
  const known: TermCounts =
    before === undefined
      ? NO_TERMS
      : { messageCount: before.session.message_count, counts: new Map(before.session.terms) };
  const terms = addedTerms(known, digest.terms(), CARRIED_TERMS_MAX);
  const outline = digest.outline();
  const isEmpty = outline.eventCount === 0;
  const names = outline.speakers.map(({ name }) => name);
  return {
    version: 1,
    artifact_id: segmentArtifactId(message.sha256),
    first_seq: message.first_seq,
    last_seq: message.last_seq,
    event_count: outline.eventCount,
    fingerprint,
    title: isEmpty ? "" : segmentTitle(outline),
    description: isEmpty
      ? null
      : describeSegment(
          outline,
          distinctiveTerms(digest.terms(), known, { termsMax: DISTINCTIVE_TERMS_MAX, names }),
          sentences,
        ),
    segment,
    session: {
      first_seq: before?.session.first_seq ?? message.first_seq,
      segment_count: (before?.session.segment_count ?? 0) + 1,
      summary: session,
      message_count: terms.messageCount,
      terms: [...terms.counts],
    },
  };
}

/** The extractive summary, or the endpoint's where there is one and it answers well. Members and sentences are the extractive one's either way. */
async function summaryOf(
  context: SealContext,
  sentences: readonly SummarySentence[],
  asked: { readonly lines: string; readonly charactersMax: number },
): Promise<StoredSummary> {
  const { text, members } = summaryText(sentences);
  const extractive = {
    method: "extractive" as const,
    text,
    members: [...members],
    sentences: sentences.map(storedSentence),
  };
  if (context.condense === undefined || text === "") return extractive;
  const reply = await context.condense(asked.lines, asked.charactersMax);
  if (reply.ok) return { ...extractive, method: "endpoint", text: reply.value };
  context.noteFallback(reply.error.code);
  return extractive;
}

/** The sentences with their vectors; those that the model refuses are left out. */
async function withVectors<S extends { readonly text: string }>(
  context: SealContext,
  model: ModelInUse,
  sentences: readonly S[],
): Promise<Result<readonly { readonly sentence: S; readonly vector: Float32Array }[], SummariseError>> {
  const texts = sentences.map(({ text }) => text);
  const vectors = await vectorsOf(context, model, texts);
  if (!vectors.ok) return vectors;
  return ok(
    sentences.flatMap((sentence, index) => {
      const vector = vectors.value[index];
      return vector === undefined || vector === null ? [] : [{ sentence, vector }];
    }),
  );
}

async function vectorsOf(
  context: SealContext,
  model: ModelInUse,
  texts: readonly string[],
): Promise<Result<readonly (Float32Array | null)[], SummariseError>> {
  if (texts.length === 0) return ok([]);
  const counter = await context.models.tokenCounter(model.fingerprint);
  if (!counter.ok) return err(counter.error);
  const inputs = texts.map((text) => model.documentPrefix + text);
  return embedTexts(
    {
      embedder: context.embedder,
      fingerprint: model.fingerprint,
      dimensions: model.dimensions,
      budget: context.requestBudget,
      requests: context.embedRequests,
    },
    inputs.map((text) => ({ text, tokenCount: counter.value.count(text) })),
  );
}

/** Sentences of the roll-up before, with vectors of the model in use: made anew where another model made them. */
async function earlierSentences(
  context: SealContext,
  model: ModelInUse,
  before: Sidecar | undefined,
): Promise<Result<readonly SummarySentence[], SummariseError>> {
  const sentences = (before?.session.summary.sentences ?? []).map(loadedSentence);
  if (before === undefined || before.fingerprint === model.fingerprint) return ok(sentences);
  const found = await withVectors(context, model, sentences);
  return found.ok ? ok(found.value.map(({ sentence, vector }) => ({ ...sentence, vector }))) : found;
}
