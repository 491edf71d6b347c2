import { useEffect, useRef } from "preact/hooks";
import { ownKeySchema } from "../lib/contract/key.ts";
import { ProblemNote } from "./parts/problem-note.tsx";
import { createApi } from "./service/api.ts";
import type { Session } from "./service/session.ts";
import { useAction } from "./service/use-action.ts";

interface SignInProps {
  /** Why the last session ended, if it was not by choice. */
  readonly reason: string | undefined;
  readonly onSignedIn: (session: Omit<Session, "signOut">) => void;
  /** The key was refused later on. */
  readonly onRefused: (code: string) => void;
}

const REASONS: Readonly<Record<string, string>> = {
  key_expired: "The key has expired. Sign in with another one.",
  key_revoked: "The key was revoked. Sign in with another one.",
};

/** Asks for an API key. It is kept in memory only: never in the address, in storage or in a cookie. */
export function SignIn({ reason, onSignedIn, onRefused }: SignInProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const { run, isRunning, error } = useAction(async (key: string) => {
    // While it is tried, a refusal is this form's to tell.
    let isIn = false;
    const api = createApi(key, {
      fetch: (path, init) => fetch(path, init),
      onRefused: (code) => {
        if (isIn) onRefused(code);
      },
    });
    const own = await api.ask({ path: "/v1/key", schema: ownKeySchema });
    isIn = true;
    onSignedIn({ api, key: own });
  });
  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          const key = field.current?.value.trim() ?? "";
          if (key !== "") void run(key);
        }}
      >
        <img src="/favicon.svg" alt="" width="40" height="40" />
        <h1>Jeeves Indexer</h1>
        {reason !== undefined && (
          <p class="note warn" role="status">
            {REASONS[reason] ?? "The key is not accepted any more. Sign in with another one."}
          </p>
        )}
        <label class="field">
          <span>API key</span>
          <input
            ref={field}
            type="password"
            name="api-key"
            placeholder="jvk_…"
            autocomplete="off"
            spellcheck={false}
            maxLength={200}
            required
          />
        </label>
        <button class="primary" disabled={isRunning}>
          {isRunning ? "Signing in …" : "Sign in"}
        </button>
        {error !== undefined && <ProblemNote error={error} />}
        <p class="soft small">
          The key stays in this page's memory and is forgotten when it is closed or loaded anew. Locally,{" "}
          <code>make up</code> prints one. The API is described at <a href="/docs">/docs</a>.
        </p>
      </form>
    </main>
  );
}
