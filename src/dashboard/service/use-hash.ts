import { useEffect, useState } from "preact/hooks";

/** Parts of the address behind `#/`, decoded: `#/batches/mails` is `["batches", "mails"]`. */
export function useHash(): readonly string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return partsOf(hash);
}

/** An address inside the page. */
export function hashOf(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

function partsOf(hash: string): readonly string[] {
  try {
    return hash
      .replace(/^#\/?/, "")
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent);
  } catch {
    return [];
  }
}
