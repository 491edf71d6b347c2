import { countText, shareText } from "../service/format.ts";
import { toneOf } from "./badge.tsx";

export interface Part {
  readonly word: string;
  readonly count: number;
}

/** Counts as parts of one bar. */
export function StackedBar({ parts, label }: { readonly parts: readonly Part[]; readonly label: string }) {
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const shown = parts.filter(({ count }) => count > 0);
  const spoken = shown.map(({ word, count }) => `${word} ${countText(count)}`).join(", ");
  return (
    <div class="stack" role="img" aria-label={`${label}: ${spoken === "" ? "nothing" : spoken}`}>
      {shown.map(({ word, count }) => (
        <i
          class={toneOf(word)}
          style={{ flexGrow: count }}
          title={`${word}: ${countText(count)} (${shareText(count / total)})`}
        />
      ))}
    </div>
  );
}

export interface Row {
  readonly name: string;
  readonly count: number;
}

/** Names by how often they occur, largest first; what is beyond `rowsMax` is summed up. */
export function BarList({
  rows,
  rowsMax = 8,
  tone = "info",
}: {
  readonly rows: readonly Row[];
  readonly rowsMax?: number;
  readonly tone?: string;
}) {
  const sorted = rows.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const rest = sorted.slice(rowsMax).reduce((sum, { count }) => sum + count, 0);
  const shown = [
    ...sorted.slice(0, rowsMax),
    ...(rest > 0 ? [{ name: `${sorted.length - rowsMax} others`, count: rest }] : []),
  ];
  const most = Math.max(1, ...shown.map(({ count }) => count));
  return (
    <ul class="bars">
      {shown.map(({ name, count }) => (
        <li>
          <span class="name">{name === "" ? "(none)" : name}</span>
          <span class="track">
            <i class={tone} style={{ width: `${Math.max(1, (count / most) * 100)}%` }} />
          </span>
          <span class="number">{countText(count)}</span>
        </li>
      ))}
    </ul>
  );
}
