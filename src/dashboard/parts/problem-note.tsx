import type { ComponentChildren } from "preact";
import type { ServiceError } from "../service/api.ts";

/** What to do about a refusal, by its code. */
const ADVICE: Readonly<Record<string, string>> = {
  unreachable: "Is the service running, and does this browser reach it? Locally: make up.",
  scope_missing: "Sign in with a key that has the scope which is named here.",
  user_forbidden: "This key belongs to one user. Sign in with a key of the whole tenant.",
  database_unavailable:
    "The database does not answer. What was accepted is safe and is indexed once it is back. /readyz says more.",
  storage_unavailable: "The object store does not answer. Try again in a moment.",
  embedder_unavailable: "The embedding server does not answer. Searches go on by words alone; indexing waits.",
  conflict: "Somebody else is at it, or it has changed meanwhile. Load it again.",
  not_found: "It is not there, or not yours. Check the name.",
  rate_limited: "Too many requests. Wait a moment.",
};

/** A failure, what it means and what to do. */
export function ProblemNote({
  error,
  children,
}: {
  readonly error: ServiceError;
  readonly children?: ComponentChildren;
}) {
  const advice = ADVICE[error.code];
  return (
    <div class="note bad" role="alert">
      <p>
        <strong>{error.message}</strong> {advice}
      </p>
      <p class="soft">
        <code>{error.code}</code>
        {error.requestId !== null && (
          <>
            {" "}
            · request <code>{error.requestId}</code>
          </>
        )}
      </p>
      {children}
    </div>
  );
}
