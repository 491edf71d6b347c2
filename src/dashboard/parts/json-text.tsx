/** Characters of JSON that are shown at once: a browser lays out some megabytes of text slowly. */
const CHARACTERS_MAX = 200_000;

/** A value as indented JSON, as text. */
export function JsonText({ value, label }: { readonly value: unknown; readonly label: string }) {
  const text = JSON.stringify(value, null, 2);
  return (
    // A region that scrolls has to be reached by the keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre class="json" tabIndex={0} role="region" aria-label={label}>
      {text.length > CHARACTERS_MAX
        ? `${text.slice(0, CHARACTERS_MAX)}\n… ${text.length - CHARACTERS_MAX} characters more`
        : text}
    </pre>
  );
}
