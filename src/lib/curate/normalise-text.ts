/**
 * A text as a dataset keeps it: line ends are line feeds, Unicode is in NFC (the form of the web, Unicode Annex 15), no byte order mark and
 * no blank lines at its ends. Everything else stays, since white space means something in code, tables and poems. Pure; idempotent.
 */
export function normaliseText(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/^\uFEFF+/, "")
    .normalize("NFC")
    .replace(/^(?:[^\S\n]*\n)+/, "")
    .trimEnd();
}
