interface PagerProps {
  /** What each page so far began behind; "" for the first. */
  readonly pages: readonly string[];
  /** What the next page begins behind; undefined on the last page. */
  readonly next: string | undefined;
  readonly onPages: (pages: readonly string[]) => void;
}

/** Back and on through a list that the API gives page by page. Not there where there is one page. */
export function Pager({ pages, next, onPages }: PagerProps) {
  if (pages.length === 1 && next === undefined) return null;
  return (
    <div class="actions">
      <button type="button" disabled={pages.length === 1} onClick={() => onPages(pages.slice(0, -1))}>
        Back
      </button>
      <button
        type="button"
        disabled={next === undefined}
        onClick={() => {
          if (next !== undefined) onPages([...pages, next]);
        }}
      >
        More
      </button>
    </div>
  );
}
