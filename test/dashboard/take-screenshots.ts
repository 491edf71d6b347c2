/** Takes the pictures of the README: the running system with letters and a conversation in it. `make screenshots`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSystem } from "../e2e/support/system.ts";
import { goTo, launchBrowser, openPage, signIn } from "./support/browser.ts";
import { BATCH, populate, talk } from "./support/population.ts";

const FOLDER = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
const SIZE = { width: 1_280, height: 800 } as const;
/** Long enough for lines to be seen in the charts, milliseconds. */
const WATCHED_MS = 45_000;

mkdirSync(FOLDER, { recursive: true });
const [system, browser] = await Promise.all([startSystem(), launchBrowser()]);
try {
  const key = await system.newKey("harbour", { scopes: ["ingest", "search", "admin", "operator"] });
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await openPage(browser, { ...SIZE, colorScheme });
    const take = (name: string): Promise<unknown> =>
      page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}.png`) });
    await signIn(page, system.url, key);
    await populate(system.url, key, `${BATCH}-${colorScheme}`);
    await talk(system.url, key);
    for (let passedMs = 0; passedMs < WATCHED_MS; passedMs += 5_000) {
      await populate(system.url, key, `stream-${colorScheme}-${passedMs / 5_000}`);
      await page.waitForTimeout(5_000);
    }
    await take("live");
    await goTo(page, "Search");
    await page.getByLabel("Question or words").fill("Which ships were kept by the ice?");
    await page.keyboard.press("Enter");
    await page.getByText("why it came").first().click();
    await take("search");
  }
} finally {
  await browser.close();
  await system.close();
}
