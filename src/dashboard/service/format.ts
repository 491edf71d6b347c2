/** Numbers, times and sizes as people read them. The page is in English; times are of the browser's zone. */
const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export const countText = (count: number): string => COUNT.format(count);
export const shortCount = (count: number): string => SHORT.format(count);
export const clockText = (atMs: number): string => CLOCK.format(atMs);

export function timeText(iso: string | null): string {
  return iso === null ? "–" : TIME.format(new Date(iso));
}

export function shareText(share: number): string {
  const percent = share * 100;
  return `${percent !== 0 && percent !== 100 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

export function rateText(perSecond: number): string {
  return perSecond >= 100 ? COUNT.format(perSecond) : perSecond >= 10 ? perSecond.toFixed(1) : perSecond.toFixed(2);
}

export function sizeText(sizeBytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(size >= 100 ? 0 : 1)} ${units[unit] ?? ""}`;
}

export function secondsText(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(0)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** "3 min ago". */
export function agoText(iso: string | null, nowMs: number): string {
  if (iso === null) return "never";
  const seconds = (nowMs - Date.parse(iso)) / 1000;
  return seconds < 2 ? "just now" : `${secondsText(seconds)} ago`;
}
