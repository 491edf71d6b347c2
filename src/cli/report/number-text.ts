/** A count with thousands separated: 12,345. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** A share as per cent: one decimal where it says something, and never 0 or 100 unless it is exactly that. */
export function shareText(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  const percent = Math.min(99.9, Math.max(0.1, share * 100));
  return `${percent < 10 || percent > 90 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** A size in a few characters: 512, 8k, 2M. */
export function shortCount(count: number): string {
  if (count >= 1024 * 1024) return `${Math.round(count / (1024 * 1024))}M`;
  return count >= 1024 ? `${Math.round(count / 1024)}k` : String(count);
}

/** "1 text", "2 texts". */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}
