import { useEffect, useMemo, useState } from "preact/hooks";
import { mayUse, SessionProvider, type Session } from "./service/session.ts";
import { hashOf, useHash } from "./service/use-hash.ts";
import { SignIn } from "./sign-in.tsx";
import { Artifacts } from "./views/artifacts.tsx";
import { Batch } from "./views/batch.tsx";
import { Batches } from "./views/batches.tsx";
import { Jobs } from "./views/jobs.tsx";
import { Live } from "./views/live.tsx";
import { Quarantine } from "./views/quarantine.tsx";
import { Receipts } from "./views/receipts.tsx";
import { Search } from "./views/search.tsx";

type Page = "live" | "search" | "batches" | "quarantine" | "receipts" | "artifacts" | "jobs";

const TITLES: Readonly<Record<Page, string>> = {
  live: "Live",
  search: "Search",
  batches: "Batches",
  quarantine: "Quarantine",
  receipts: "Receipts",
  artifacts: "Artifacts",
  jobs: "Jobs",
};

type SignedIn = Omit<Session, "signOut">;

export function App() {
  const [signedIn, setSignedIn] = useState<SignedIn | undefined>(undefined);
  const [reason, setReason] = useState<string | undefined>(undefined);
  const session = useMemo(() => signedIn && { ...signedIn, signOut: () => setSignedIn(undefined) }, [signedIn]);
  if (session === undefined) {
    return (
      <SignIn
        reason={reason}
        onSignedIn={(next) => {
          setReason(undefined);
          setSignedIn(next);
        }}
        onRefused={(code) => {
          setReason(code);
          setSignedIn(undefined);
        }}
      />
    );
  }
  return (
    <SessionProvider value={session}>
      <Shell session={session} />
    </SessionProvider>
  );
}

function Shell({ session }: { readonly session: Session }) {
  const [first = "live", ...rest] = useHash();
  const page = isPage(first) ? first : "live";
  useSlash();
  useEffect(() => {
    document.title = `${TITLES[page]} · Jeeves Indexer`;
  }, [page]);
  const { key } = session;
  const pages: readonly Page[] = mayUse(key, "operator") ? PAGES : PAGES.filter((each) => each !== "jobs");
  return (
    <div class="shell">
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector<HTMLElement>("main")?.focus();
        }}
      >
        Skip to the content
      </a>
      <nav aria-label="Pages">
        <div class="brand">
          <img src="/favicon.svg" alt="" width="24" height="24" /> Jeeves Indexer
        </div>
        <ul>
          {pages.map((each) => (
            <li>
              <a href={hashOf(each)} aria-current={each === page ? "page" : undefined}>
                {TITLES[each]}
              </a>
            </li>
          ))}
        </ul>
        <div class="who">
          <span>
            <b>{key.tenant_id}</b>
            {key.user_id !== null && <> · {key.user_id}</>}
          </span>
          <span class="soft small">{key.scopes.join(", ")}</span>
          <button type="button" class="small" onClick={session.signOut}>
            Sign out
          </button>
        </div>
      </nav>
      <main id="content" tabIndex={-1}>
        <View page={page} id={rest[0]} />
      </main>
    </div>
  );
}

const PAGES: readonly Page[] = ["live", "search", "batches", "quarantine", "receipts", "artifacts", "jobs"];

function isPage(name: string): name is Page {
  return name in TITLES;
}

function View({ page, id }: { readonly page: Page; readonly id: string | undefined }) {
  switch (page) {
    case "live":
      return <Live />;
    case "search":
      return <Search />;
    case "batches":
      return id === undefined ? <Batches /> : <Batch tag={id} key={id} />;
    case "quarantine":
      return <Quarantine id={id} />;
    case "receipts":
      return <Receipts id={id} key={id} />;
    case "artifacts":
      return <Artifacts id={id} />;
    case "jobs":
      return <Jobs name={id} />;
  }
}

/** "/" goes to the search, wherever one is, unless something is being typed. */
function useSlash(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && /^(input|select|textarea)$/i.test(event.target.tagName);
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      location.hash = hashOf("search");
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
