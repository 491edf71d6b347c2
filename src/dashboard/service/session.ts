import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { KeyScope } from "../../lib/contract/principal.ts";
import type { OwnKey } from "../../lib/contract/key.ts";
import type { Api } from "./api.ts";

/** Who is signed in. Lives in memory alone: a reload, or closing the page, forgets the key. */
export interface Session {
  readonly api: Api;
  readonly key: OwnKey;
  readonly signOut: () => void;
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("a view outside of a session");
  return session;
}

export function mayUse(key: OwnKey, scope: KeyScope): boolean {
  return key.scopes.includes(scope);
}
