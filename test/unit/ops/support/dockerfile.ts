import { DockerfileParser, Keyword, type Instruction } from "dockerfile-ast";
import { Env } from "dockerfile-ast/lib/instructions/env.js";
import { From } from "dockerfile-ast/lib/instructions/from.js";
import { ModifiableInstruction } from "dockerfile-ast/lib/modifiableInstruction.js";
import { PropertyInstruction } from "dockerfile-ast/lib/propertyInstruction.js";
import { z } from "zod";

/** One `FROM` with what follows it. */
export interface Stage {
  readonly name: string;
  /** Image or earlier stage, with its tag. */
  readonly base: string;
  readonly tag: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** What an image of a stage says of itself, with what it inherits from the stages below it. */
export interface ImageFacts {
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly stopSignal: string | undefined;
  readonly entrypoint: string | undefined;
  /** Command of the health check, its arguments. */
  readonly healthCheck: readonly string[] | undefined;
  /** The image that the last stage of the chain stands on. */
  readonly rootImage: string;
}

export interface CopyFacts {
  readonly stage: string;
  /** Stage or image that it copies from; undefined for the build context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
}

export function stagesOf(text: string): readonly Stage[] {
  const stages: { name: string; base: string; tag: string | undefined; instructions: Instruction[] }[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    if (instruction instanceof From) {
      const base = instruction.getImageName() ?? "";
      const name = instruction.getBuildStage() ?? String(stages.length);
      stages.push({ name, base, tag: instruction.getImageTag() ?? undefined, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** The stage and those it is built on, the lowest first. */
function chainOf(stages: readonly Stage[], name: string): readonly Stage[] {
  const index = stages.findIndex((stage) => stage.name === name);
  const stage = stages[index];
  if (stage === undefined) throw new Error(`there is no stage ${name}`);
  const below = stages.slice(0, index);
  return below.some((other) => other.name === stage.base) ? [...chainOf(below, stage.base), stage] : [stage];
}

export function imageFacts(stages: readonly Stage[], name: string): ImageFacts {
  const chain = chainOf(stages, name);
  const all = chain.flatMap((stage) => stage.instructions);
  const properties = (keyword: Keyword): Record<string, string> =>
    Object.fromEntries(
      all
        .filter((instruction) => instruction.getKeyword() === keyword.toString())
        .flatMap((instruction) => (instruction instanceof PropertyInstruction ? instruction.getProperties() : []))
        .map((property) => [property.getName(), property.getValue() ?? ""]),
    );
  const last = (keyword: Keyword): Instruction | undefined =>
    all.findLast((instruction) => instruction.getKeyword() === keyword.toString());
  const root = chain[0];
  return {
    env: properties(Keyword.ENV),
    labels: properties(Keyword.LABEL),
    user: last(Keyword.USER)?.getArgumentsContent() ?? undefined,
    stopSignal: last(Keyword.STOPSIGNAL)?.getArgumentsContent() ?? undefined,
    entrypoint: last(Keyword.ENTRYPOINT)?.getArgumentsContent() ?? undefined,
    healthCheck: healthCheckOf(last(Keyword.HEALTHCHECK)),
    rootImage: root === undefined ? "" : [root.base, root.tag].filter((part) => part !== undefined).join(":"),
  };
}

function healthCheckOf(instruction: Instruction | undefined): readonly string[] | undefined {
  const content = instruction?.getArgumentsContent() ?? "";
  const command = /CMD\s+(\[.*\])\s*$/s.exec(content)?.[1];
  return command === undefined ? undefined : z.array(z.string()).parse(JSON.parse(command));
}

export function copiesOf(stages: readonly Stage[]): readonly CopyFacts[] {
  return stages.flatMap((stage) =>
    stage.instructions
      .filter((instruction) => instruction.getKeyword() === Keyword.COPY.toString())
      .map((instruction) => {
        const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
        const words = instruction.getArguments().map((argument) => argument.getValue());
        const paths = words.filter((word) => !word.startsWith("--"));
        const from = flags.find((flag) => flag.getName() === "from")?.getValue() ?? undefined;
        return { stage: stage.name, from, sources: paths.slice(0, -1) };
      }),
  );
}

/** Commands of the `RUN` lines, whole. */
export function runsOf(stages: readonly Stage[]): readonly string[] {
  return stages.flatMap((stage) =>
    stage.instructions
      .filter((instruction) => instruction.getKeyword() === Keyword.RUN.toString())
      .map((instruction) => instruction.getArgumentsContent() ?? ""),
  );
}

/** Every variable that any stage or `RUN` line sets. */
export function variablesSet(stages: readonly Stage[]): ReadonlySet<string> {
  const fromEnv = stages.flatMap((stage) =>
    stage.instructions.flatMap((instruction) =>
      instruction instanceof Env ? instruction.getProperties().map((property) => property.getName()) : [],
    ),
  );
  const fromRuns = runsOf(stages).flatMap((run) =>
    [...run.matchAll(/\b([A-Z][A-Z0-9_]+)=/g)].map(([, name = ""]) => name),
  );
  return new Set([...fromEnv, ...fromRuns]);
}
