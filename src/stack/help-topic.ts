/** Entries of docs/troubleshooting.md to which an error of a command leads; a test holds that each is there. */
export const HELP_TOPICS = [
  "port-in-use",
  "stack-runs-already",
  "worker-not-bundled",
  "embedder-not-ready",
  "weights-missing",
  "no-service",
  "missing-dsn",
  "401",
] as const;
type HelpTopic = (typeof HELP_TOPICS)[number];

/** A message with the address of its entry on a line below. */
export function withHelp(message: string, topic: HelpTopic): string {
  return `${message}\n  see docs/troubleshooting.md#${topic}`;
}
