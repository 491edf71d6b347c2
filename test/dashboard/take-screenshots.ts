/** Takes the pictures of the README: the running system with speeches and a conversation in it. `make screenshots`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { readAddresses } from "../../src/cli/demo/corpus.ts";
import { startSystem } from "../e2e/support/system.ts";
import { goTo, launchBrowser, openPage, signIn } from "./support/browser.ts";
import { askAs, talk } from "./support/population.ts";

const FOLDER = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
const SIZE = { width: 1_280, height: 800 } as const;
/** Between two requests of speeches, milliseconds: about what two cores embed meanwhile. */
const STREAM_PAUSE_MS = 2_500;
/** The page reads the metrics every five seconds; a picture in other colours waits for the next reading. */
const NEXT_READING_MS = 6_000;
const QUESTION = "health insurance that can never be taken away";

/** In two batches by year, a few at a time, with what the gate holds back between them. */
async function streamSpeeches(page: Page, url: string, key: string): Promise<void> {
  const ask = askAs(url, key);
  const speeches = await readAddresses(false);
  for (let start = 0; start < speeches.length; start += 3) {
    const documents = speeches.slice(start, start + 3);
    const noise = { id: `noise-${start}`, source: "scraper", text: "click here to subscribe now ".repeat(40) };
    const empty = { id: `empty-${start}`, source: "scraper", text: " " };
    const extra = start % 4 === 0 ? [noise, empty] : [];
    const batch = start < speeches.length / 2 ? "speeches-1961-1991" : "speeches-1992-2020";
    await ask("/v1/documents", { documents: [...documents, ...extra], batch_tag: batch });
    await page.waitForTimeout(STREAM_PAUSE_MS);
  }
}

async function takeBoth(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(NEXT_READING_MS);
    await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}.png`) });
  }
}

mkdirSync(FOLDER, { recursive: true });
const [system, browser] = await Promise.all([startSystem(), launchBrowser()]);
try {
  const key = await system.newKey("library", { scopes: ["ingest", "search", "admin", "operator"] });
  const { page } = await openPage(browser, SIZE);
  await signIn(page, system.url, key);
  await talk(system.url, key);
  await streamSpeeches(page, system.url, key);
  await askAs(system.url, key)("/v1/admin/jobs/sweep/run", {});
  await takeBoth(page, "live");
  await goTo(page, "Search");
  await page.getByLabel("Question or words").fill(QUESTION);
  await page.keyboard.press("Enter");
  await page.getByText("why it came").first().click();
  await takeBoth(page, "search");
} finally {
  await browser.close();
  await system.close();
}
