/** How a command ended, for scripts. The numbers are part of the contract: docs/cli.md lists them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** It worked, and what was found falls short of a threshold that was asked for. */
  refused: 3,
  unreachable: 4,
  /** No key, or one that the server does not take for this. */
  unauthorised: 5,
  /** Ctrl-C: 128 + SIGINT, as shells have it. Running the command again continues. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
