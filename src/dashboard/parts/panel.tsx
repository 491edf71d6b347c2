import type { ComponentChildren } from "preact";

interface PanelProps {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

export function Panel({ title, aside, wide = false, children }: PanelProps) {
  return (
    <section class={wide ? "panel wide" : "panel"}>
      <header>
        <h2>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

interface TileProps {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
  readonly tone?: "good" | "warn" | "bad" | "plain";
}

/** One figure with its name; the tone is that of its judgement, if it has one. */
export function Tile({ label, value, note, tone = "plain" }: TileProps) {
  return (
    <div class={`tile ${tone}`}>
      <dt>{label}</dt>
      <dd>{value}</dd>
      {note !== undefined && <dd class="soft small">{note}</dd>}
    </div>
  );
}
