/** Stack frames that are logged. */
const FRAMES_MAX = 6;

/** What may be logged of a thrown value: its kind and where it came from. Its message can quote input. */
export function thrownFields(thrown: unknown): { readonly error: string; readonly at: string } {
  if (!(thrown instanceof Error)) return { error: typeof thrown, at: "" };
  const frames = (thrown.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    error: thrown.name,
    at: frames
      .slice(0, FRAMES_MAX)
      .map((line) => line.trim())
      .join(" | "),
  };
}
